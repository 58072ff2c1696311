// Written by `npm run generate` from /openapi.json; do not edit.

export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The public keys that verify our tokens and receipts (RFC 7517). Those of receipts stay for ever. */
        get: operations["getWellKnownJwksJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read your account. */
        get: operations["getAccount"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account/balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read your balance. */
        get: operations["getAccountBalance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close your account for ever; its balances must all be zero, and no withdrawal approved that is neither paid nor rejected. One that is frozen only the back office closes. */
        post: operations["postAccountClose"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read what moved on your account.
         * @description Parameters, order and shape are those of `/v1/accounts/{id}/entries`; `metadata` is always empty.
         */
        get: operations["getAccountEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Listen to what happens to your account.
         * @description Each message is an `OwnEvent` under its position; a stream begins now, or after the position in `Last-Event-ID`. It ends with the token
         *     that opened it, after ten minutes at most, and when the same session opens another one: come back with `Last-Event-ID`.
         */
        get: operations["getAccountEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account/freeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Freeze your account at once: nothing moves but returns of held money.
         * @description Only a recovery or the back office takes it back.
         */
        post: operations["postAccountFreeze"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account/statement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Take your statement as a file. Parameters and forms are those of `/v1/accounts/{id}/statement`. */
        get: operations["getAccountStatement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account/transactions/{id}/receipt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Take the receipt of a transaction of yours. One that names more people than you and the other side is not for you: 404. */
        get: operations["getAccountTransactionsIdReceipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/alias-lookups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Find whom to pay. A question and not a write: it needs no `Idempotency-Key`. One that finds nobody costs twenty that find somebody. */
        post: operations["postAliasLookups"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/aliases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your keys. */
        get: operations["getAliases"];
        put?: never;
        /** Have one more key, for your account; five at most. A key that is somebody's is refused with `alias-taken`. */
        post: operations["postAliases"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/aliases/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Give a key up: nobody finds you by it any more, and somebody else may have it. */
        delete: operations["deleteAliasesId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charge-locations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a code's location says of its charge: a JWS (`typ` is `charge+jwt`), signed by a key of `/.well-known/jwks.json`. Anybody may ask. */
        get: operations["getChargeLocationsId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charge-resolutions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find what a terminal asks for. A question and not a write: it needs no `Idempotency-Key`. A short code that is nobody's costs as
         *     much as an alias that is.
         */
        post: operations["postChargeResolutions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charges/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a charge that you have confirmed. */
        get: operations["getChargesId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charges/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Confirm a charge: the money moves now, or is held for the terminal. PIN and signature are not part of what the key stands for. */
        post: operations["postChargesIdConfirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/contact-changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask to be reached elsewhere. A code goes to the new contact. */
        post: operations["postContactChanges"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/contact-changes/{id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send the code back, with the device's signature and the PIN. The contact before is told; your devices pay less for a day, and a key by
         *     which you were paid there is removed.
         */
        post: operations["postContactChangesIdVerify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your devices. */
        get: operations["getDevices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a device away, and with it its sessions. Do this when a telephone is lost. */
        delete: operations["deleteDevicesId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What you may pay. */
        get: operations["getLimits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change what you may pay: less holds at once, more after 24 hours. */
        patch: operations["patchLimits"];
        trace?: never;
    };
    "/v1/mandates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your mandates. */
        get: operations["getMandates"];
        put?: never;
        /** Ask what a mandate would allow. It covers nothing, and ends after ten minutes unless you confirm it. */
        post: operations["postMandates"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/mandates/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a mandate, at once. Doing it twice is no error. */
        delete: operations["deleteMandatesId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/mandates/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Consent to a mandate, as a transfer is confirmed. What is signed has `per_payment` and `period` besides, as they were answered. */
        post: operations["postMandatesIdConfirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what happened to your account and your devices, the newest first. */
        get: operations["getNotifications"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Choose another password. */
        post: operations["postPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Choose another PIN. One that is locked stays locked; recover instead. */
        post: operations["postPin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/prices/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What payments in an asset cost. Every known caller may ask; an asset that is not registered is not found. */
        get: operations["getPricesCode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have yourself forgotten: your account closes, nothing that is known of you can be read any more, and your sessions end.
         * @description An account with money on it, one that is frozen, or one whose withdrawal is neither paid nor rejected, is `invalid-state`.
         */
        post: operations["postPrivacyErasures"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take along what is known of you, as it is. That you did is recorded before the answer. */
        post: operations["postPrivacyExports"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/receipts/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Ask whether a receipt is true, and whether it was reversed since. Anybody may. */
        get: operations["getReceiptsCode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/recoveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a code at the contact that is known. The answer is the same whether or not there is anybody of this number. */
        post: operations["postRecoveries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/recoveries/{id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the code back with another password and PIN. This device is the only one from then on, and pays less for a day. */
        post: operations["postRecoveriesIdVerify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/registrations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say who you are. A code goes to the contact, whether or not anybody of this number is registered. */
        post: operations["postRegistrations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/registrations/{id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the code back, from the same device, with a password and a PIN. The answer is the first session. Should it get lost: sign in. */
        post: operations["postRegistrationsIdVerify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/requests/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Recover the answer to a request of your own. */
        get: operations["getRequestsKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your open sessions. */
        get: operations["getSessions"];
        put?: never;
        /** Sign in. On a device that is yours the answer is a session; on another one a code goes to your contact first (202). */
        post: operations["postSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Get the next tokens. An answer that was lost is given again for ten seconds; an older token ends the session. */
        post: operations["postSessionsRefresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of your sessions, this one too. Its tokens are refused within seconds. */
        delete: operations["deleteSessionsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the code of a sign-in back. The device is yours from then on, and pays less for a day. */
        post: operations["postSessionsIdVerify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenant": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read your tenant: its days, and what the operator decided about it. */
        get: operations["getTenant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/terminal/enrolments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring a device in with the code that the back office had issued for it. Should the answer get lost: the same code and a request over
         *     the same key get the same certificate, for a day.
         */
        post: operations["postTerminalEnrolments"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/top-ups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask how to bring money in. What comes in time is on your account at once. */
        post: operations["postTopUps"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/top-ups/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of a top-up of yours. */
        get: operations["getTopUpsId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask what a transfer would be. It moves nothing, and ends after ten minutes unless you confirm it. */
        post: operations["postTransfers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transfers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a transfer of yours: one that you asked for, or one that has paid you. What it cost its payer only the payer is told. */
        get: operations["getTransfersId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transfers/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a transfer: the money moves now. PIN and signature are not part of what the key stands for: one that was
         *     mistyped can be typed again under the same key.
         */
        post: operations["postTransfersIdConfirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/withdrawals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask to take money out. Nothing moves until you confirm. */
        post: operations["postWithdrawals"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/withdrawals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of a withdrawal of yours. */
        get: operations["getWithdrawalsId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/withdrawals/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Confirm a withdrawal, as a transfer; the payee that is signed is the withdrawal itself, so its id stands twice. The amount leaves your account at once; if the bank does not take it, it comes back. */
        post: operations["postWithdrawalsIdConfirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An account: what was fixed at its opening, and its settings. */
        Account: {
            /**
             * @description The asset's code.
             * @example BRL
             */
            asset: string;
            /**
             * Format: uuid
             * @description Its id. A named account's is derived from its name and asset.
             */
            id: string;
            /** @description Movements may not take posted and incoming together above; null is unlimited. */
            max_balance?: string | null;
            metadata?: components["schemas"]["BTreeMap"] | null;
            /**
             * @description Movements may not take `available` below; null is unlimited.
             * @example 0.00
             */
            min_balance?: string | null;
            /**
             * @description Unique per asset.
             * @example citizen:0042
             */
            name?: string | null;
            /**
             * @description The side that raises it: `debit` or `credit`.
             * @example credit
             */
            normal_side: string;
            /** @description Money may arrive. */
            receives: boolean;
            /**
             * Format: int32
             * @description The asset's scale.
             * @example 2
             */
            scale: number;
            /** @description Money may leave. */
            sends: boolean;
            /**
             * Format: int32
             * @description One higher with every change; the `ETag`.
             * @example 1
             */
            settings_version: number;
            /**
             * @description `open`, `frozen` or `closed`.
             * @example open
             */
            status: string;
        };
        /** @description A key by which somebody is paid. */
        Alias: {
            /**
             * @description What others type. In answer to its registration only that of a random one; list them for the others.
             * @example 0b0ed1b2-5c7e-4d3a-9a55-3f6f0c1d2e4b
             */
            alias?: string | null;
            /**
             * @description Since when.
             * @example 2026-03-01T12:00:00.000000Z
             */
            created_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * @description `cpf`, `phone`, `email` or `random`.
             * @example random
             */
            kind: string;
        };
        /** @description Somebody who can be paid: enough of them to see that it is the right person. */
        AliasFound: {
            /**
             * @description First name and an initial.
             * @example Ana C.
             */
            display_name: string;
            /** @description What a transfer is asked for with: yours, for ten minutes. */
            lookup_id: string;
            /**
             * @description The six digits in the middle.
             * @example ***.982.247-**
             */
            masked_cpf: string;
        };
        /** @description A key to have. */
        AliasInput: {
            /**
             * @description `cpf`, `phone` and `email` are what is known of you; `random` is drawn.
             * @example email
             */
            kind: string;
        };
        /** @description A person's keys. */
        AliasList: {
            /** @description The oldest first. */
            aliases: components["schemas"]["Alias"][];
        };
        /** @description Whom to look for. */
        AliasLookup: {
            /**
             * @description The key.
             * @example +5511912345678
             */
            alias: string;
            /**
             * @description What the key is; without it, by its looks: a number without a plus is a CPF.
             * @example phone
             */
            kind?: string | null;
        };
        /** @description What a device says that nobody knows yet. */
        ArrivalInput: {
            /**
             * @description What was typed on it; groups and lower case do not matter.
             * @example 7K3M0-9QXT4
             */
            code: string;
            /**
             * @description A request for a certificate (PKCS #10, PEM) over a key of P-256 that the device made and keeps. Of what it says only the key
             *     counts.
             * @example -----BEGIN CERTIFICATE REQUEST-----
             *     …
             */
            csr: string;
            /**
             * @description What is written on it.
             * @example PX-200431
             */
            serial: string;
            /**
             * @description The tenant's name.
             * @example coffee-town
             */
            tenant: string;
        };
        /** @description One limit that was asked for. */
        AskedLimit: {
            /**
             * @description How much is to be allowed.
             * @example 500.00
             */
            amount: string;
            /**
             * @description `payment`, `day`, `month` or `night`.
             * @example day
             */
            kind: string;
        };
        BTreeMap: {
            [key: string]: string;
        };
        /** @description An account's balances, in the direction of its normal side. */
        Balance: {
            /**
             * @description What can be spent: posted less held.
             * @example 80.00
             */
            available: string;
            /**
             * @description What holds keep back.
             * @example 20.00
             */
            held: string;
            /**
             * @description What holds announce to come.
             * @example 0.00
             */
            incoming: string;
            /**
             * @description What was posted.
             * @example 100.00
             */
            posted: string;
            /**
             * Format: int64
             * @description The account's entry version: one higher with every entry.
             * @example 7
             */
            version: number;
        };
        /** @description What a terminal shows: exactly one of these. */
        ChargeCodeInput: {
            /**
             * @description The short code that was typed, in groups or not.
             * @example 7K4M-2Q9X
             */
            code?: string | null;
            /**
             * @description The text of the code that was scanned.
             * @example 000201010212…6304A1B2
             */
            qr?: string | null;
        };
        /** @description That it is you, and that you want it: by PIN, or by a mandate. */
        ChargeConfirmInput: {
            /** @description By the session's device, in base64url, over the canonical JSON (RFC 8785) of `amount`, `asset`, `intent_id`, `nonce` and `payee`. */
            device_signature: string;
            /**
             * Format: uuid
             * @description The mandate that covers it, instead of a PIN.
             */
            mandate?: string | null;
            /**
             * @description Your PIN, unless a mandate covers the charge.
             * @example 274906
             */
            pin?: string | null;
        };
        /** @description A charge that was confirmed now. */
        ChargeConfirmation: {
            /**
             * @description When.
             * @example 2026-03-01T12:00:30.000000Z
             */
            confirmed_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * Format: uuid
             * @description The mandate that it was paid by.
             */
            mandate_id?: string | null;
            /**
             * @description `captured` when the money moved, `authorised` when it is held for the terminal.
             * @example captured
             */
            status: string;
        };
        /** @description Who is paid by a charge. */
        ChargePayee: {
            /**
             * @description Where it is.
             * @example Porto Alegre
             */
            city: string;
            /**
             * @description Its number.
             * @example 11.222.333/0001-81
             */
            cnpj: string;
            /**
             * @description As it is called.
             * @example Ônibus Centro
             */
            label: string;
            /**
             * @description The company.
             * @example Viação Aurora Ltda.
             */
            provider: string;
            /**
             * Format: uuid
             * @description The service: `payee` of what is signed.
             */
            service_id: string;
        };
        /** @description What is true of a receipt now; accounts are masked. */
        CheckedReceipt: {
            /**
             * @description Its code.
             * @example 7K3M-09QX-T4WB-2HZD
             */
            code: string;
            /**
             * @description Its value date.
             * @example 2026-03-01T12:00:00.000000Z
             */
            effective_at: string;
            /**
             * @description When it was given out.
             * @example 2026-03-01T12:00:05.000000Z
             */
            issued_at: string;
            /** @description What moved, leg by leg; of more than two accounts only those that gave. */
            legs: components["schemas"]["MaskedLeg"][];
            /**
             * @description When the money moved.
             * @example 2026-03-01T12:00:00.000000Z
             */
            recorded_at: string;
            /** @description Whether it was taken back since: `no`, `partly` or `wholly`. */
            reversed: components["schemas"]["Reversed"];
            /**
             * @description The institution that gave it out.
             * @example coffee-town
             */
            tenant: string;
        };
        /** @description Another password. */
        CitizenPasswordInput: {
            /**
             * @description The one until now.
             * @example quatro rios sem ponte
             */
            old_password: string;
            /**
             * @description 12 to 128 characters; no rules but not to be guessable.
             * @example cinco pontes sem rio
             */
            password: string;
        };
        /** @description Sessions. */
        CitizenSessionList: {
            /** @description The newest first. */
            sessions: components["schemas"]["CitizenSessionShown"][];
        };
        /** @description A session, to its owner. */
        CitizenSessionShown: {
            /**
             * @description When it began.
             * @example 2026-03-01T12:00:00.000000Z
             */
            created_at: string;
            /**
             * Format: uuid
             * @description Its device.
             */
            device_id: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description Whether it is the one that asks. */
            is_current: boolean;
            /**
             * @description When it was refreshed last.
             * @example 2026-03-02T08:00:00.000000Z
             */
            refreshed_at: string;
        };
        /** @description Who signs in. */
        CitizenSignInInput: {
            /**
             * @description The citizen's number.
             * @example 529.982.247-25
             */
            cpf: string;
            /**
             * @description The citizen's password.
             * @example quatro rios sem ponte
             */
            password: string;
            /**
             * @description The tenant's name.
             * @example coffee-town
             */
            tenant: string;
        };
        /** @description A session on a device. Its tokens are good only together with the device's key. */
        CitizenTokens: {
            /** @description To be sent as `Authorization: DPoP <token>` with a proof in the header `DPoP`. */
            access_token: string;
            /**
             * Format: uuid
             * @description The account that they pay from and are paid to.
             */
            account_id: string;
            /**
             * Format: uuid
             * @description The citizen, as events and transfers name them.
             */
            citizen_id: string;
            /**
             * Format: uuid
             * @description The device.
             */
            device_id: string;
            /**
             * Format: int64
             * @description Seconds that the access token is good for.
             * @example 600
             */
            expires_in: number;
            /**
             * @description What the next tokens are asked for with; good once. Keep it where the device keeps its key.
             * @example vtr_…
             */
            refresh_token: string;
            /**
             * Format: uuid
             * @description The session.
             */
            session_id: string;
            /**
             * @description Always `DPoP`.
             * @example DPoP
             */
            token_type: string;
        };
        /** @description A code. */
        CodeInput: {
            /**
             * @description The six digits that were sent.
             * @example 123456
             */
            code: string;
            /**
             * @description The tenant's name.
             * @example coffee-town
             */
            tenant: string;
        };
        /** @description A code was sent, if there is anybody to send it to. */
        CodeSent: {
            /**
             * @description Until when it is good; it may be tried five times.
             * @example 2026-03-01T12:10:00.000000Z
             */
            expires_at: string;
            /**
             * Format: uuid
             * @description What the code is sent back with.
             */
            id: string;
        };
        /** @description That it is you, and that you want it. */
        ConfirmInput: {
            /** @description By the session's device, in base64url, over the canonical JSON (RFC 8785) of `amount`, `asset`, `intent_id`, `nonce` and `payee`. */
            device_signature: string;
            /**
             * @description Your PIN.
             * @example 274906
             */
            pin: string;
        };
        /** @description A transfer that was confirmed now. */
        Confirmation: {
            available?: components["schemas"]["Money"] | null;
            /**
             * @description When.
             * @example 2026-03-01T12:00:30.000000Z
             */
            completed_at: string;
            /**
             * Format: uuid
             * @description The transfer.
             */
            id: string;
            /**
             * @description `completed`.
             * @example completed
             */
            status: string;
            /** @description What left the payer's account. */
            total: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description The transaction that moved the money.
             */
            transaction: string;
        };
        /** @description A contact that was changed. */
        ContactChanged: {
            /** @description Which. */
            contact: components["schemas"]["ContactKind"];
            /**
             * @description Until then your devices pay as little as new ones.
             * @example 2026-03-02T12:00:00.000000Z
             */
            trusted_from: string;
        };
        /** @description Where you want to be reached: one of the two. */
        ContactInput: {
            /**
             * @description Another e-mail address.
             * @example ana@exemplo.com.br
             */
            email?: string | null;
            /**
             * @description Another phone number, with the country's code.
             * @example +5511912345678
             */
            phone?: string | null;
        };
        /**
         * @description Where a person is reached.
         * @enum {string}
         */
        ContactKind: "email" | "phone";
        /** @description That you are reached there, and that it is you. */
        ContactProofInput: {
            /**
             * @description The six digits that were sent to the new contact.
             * @example 123456
             */
            code: string;
            /** @description By the session's device, in base64url, over the canonical JSON (RFC 8785) of `contact`, as it was sent, and `intent_id`, the change's id. */
            device_signature: string;
            /**
             * @description Your PIN.
             * @example 274906
             */
            pin: string;
        };
        /** @description Devices. */
        DeviceList: {
            /** @description The oldest first. */
            devices: components["schemas"]["DeviceShown"][];
        };
        /** @description A device, to its owner. */
        DeviceShown: {
            /**
             * @description When it came.
             * @example 2026-03-01T12:00:00.000000Z
             */
            added_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description Whether it is the one that asks. */
            is_current: boolean;
            /**
             * @description The SHA-256 of its key (RFC 7638), by which the device itself knows which one it is.
             * @example 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I
             */
            thumbprint?: string | null;
            /**
             * @description From then on it pays as much as your limits allow; before that, what a new device may.
             * @example 2026-03-02T12:00:00.000000Z
             */
            trusted_from: string;
        };
        /** @description Where something is read. */
        Elsewhere: {
            /**
             * @description Where.
             * @example /v1/account/statement?format=csv
             */
            path: string;
            /**
             * @description What.
             * @example statement
             */
            what: string;
        };
        /** @description The code, and what its owner will remember. */
        EnrolmentInput: {
            /**
             * @description The six digits that were sent.
             * @example 123456
             */
            code: string;
            /**
             * @description 12 to 128 characters; no rules but not to be guessable.
             * @example quatro rios sem ponte
             */
            password: string;
            /**
             * @description Six digits that are not tried first. It counts only together with a signature of a device.
             * @example 274906
             */
            pin: string;
            /**
             * @description The tenant's name.
             * @example coffee-town
             */
            tenant: string;
        };
        /** @description Something that is gone. */
        ErasedData: {
            /**
             * @description What.
             * @example cpf
             */
            category: string;
            /**
             * @description When no backup can.
             * @example 2026-03-08T12:00:00.000000Z
             */
            complete_in_backups_by: string;
            /**
             * @description When no live system can read it any more.
             * @example 2026-03-01T12:01:00.000000Z
             */
            complete_in_live_systems_by: string;
        };
        /** @description When an erasure is complete. */
        Erasure: {
            /**
             * @description When no backup holds it any more.
             * @example 2026-03-08T12:00:00.000000Z
             */
            complete_in_backups_by: string;
            /**
             * @description When no live system holds the person's key any more.
             * @example 2026-03-01T12:01:00.000000Z
             */
            complete_in_live_systems_by: string;
            /**
             * @description When it was recorded: from then on nobody is shown anything of the person.
             * @example 2026-03-01T12:00:00.000000Z
             */
            erased_at: string;
        };
        /**
         * @description Why a citizen freezes their account, in a word: it stands in the log for ever, where no sentence of a person's belongs.
         * @enum {string}
         */
        FreezeReason: "lost-device" | "stolen-device" | "not-mine" | "coercion";
        /** @description A holder: who they are in the ledger, and nothing about them. */
        Holder: {
            erasure?: components["schemas"]["Erasure"] | null;
            /**
             * Format: uuid
             * @description Their id.
             */
            id: string;
            /**
             * @description When they were registered; absent in the answer to an erasure.
             * @example 2026-03-01T12:00:00.000000Z
             */
            registered_at?: string | null;
            /**
             * @description `active` or `erased`.
             * @example active
             */
            status: string;
        };
        /** @description A holder with what is known of them, masked unless it was asked for as it is. */
        HolderDetails: components["schemas"]["Holder"] & {
            /**
             * @description Their CPF: 11 digits, or `***.982.247-**` where it is masked.
             * @example 52998224725
             */
            cpf?: string | null;
            /**
             * @description Their e-mail address, if they have one.
             * @example ana@exemplo.com.br
             */
            email?: string | null;
            /**
             * @description Their name; absent once they are erased, like the members below.
             * @example Ana Conceição
             */
            name?: string | null;
            /**
             * @description Their phone number, if they have one.
             * @example +5511912345678
             */
            phone?: string | null;
        };
        /** @description A limit. */
        LimitExported: {
            /**
             * @description How much.
             * @example 10000.00
             */
            amount: string;
            /**
             * @description `payment`, `day`, `month` or `night`.
             * @example day
             */
            per: string;
            /**
             * @description When more is allowed, and how much, if that was asked for.
             * @example 2026-03-02T12:00:00.000000Z
             */
            raised_at?: string | null;
            /**
             * @description How much then.
             * @example 20000.00
             */
            raised_to?: string | null;
        };
        /** @description One limit. */
        LimitNow: {
            /**
             * @description What is allowed now.
             * @example 1000.00
             */
            amount: string;
            /**
             * @description `payment`, `day`, `month` or `night` (20:00 to 06:00).
             * @example day
             */
            kind: string;
            raise?: components["schemas"]["Raise"] | null;
        };
        /** @description Limits that were asked for: a lower one holds at once, a higher one after 24 hours. What holds now, the limits say. */
        LimitsAsked: {
            /** @description What was asked for. */
            asked: components["schemas"]["AskedLimit"][];
            /**
             * @description When it was asked for.
             * @example 2026-03-01T12:00:00.000000Z
             */
            asked_at: string;
            /**
             * @description From when on what was raised is allowed.
             * @example 2026-03-02T12:00:00.000000Z
             */
            raises_at: string;
            /**
             * Format: int32
             * @description How often the limits were changed.
             * @example 1
             */
            version: number;
        };
        /** @description What a person may pay. */
        LimitsNow: {
            /**
             * @description The asset's code.
             * @example BRL
             */
            asset: string;
            /** @description Each of them. */
            limits: components["schemas"]["LimitNow"][];
            /**
             * Format: int32
             * @description How often they were changed.
             * @example 1
             */
            version: number;
        };
        /** @description One line of a statement. */
        Line: {
            /**
             * @description Change of what is posted, in the direction of the account's normal side; zero for holds.
             * @example -12.50
             */
            amount: string;
            /** @description The balances after it. */
            balance: components["schemas"]["Balance"];
            /** @description For people. */
            description?: string | null;
            /**
             * @description Its value date; the recorded time where none was given.
             * @example 2026-03-01T12:00:00.000000Z
             */
            effective_at: string;
            /**
             * Format: uuid
             * @description The hold.
             */
            hold?: string | null;
            /**
             * @description `posting`, `capture`, `reversal`; with holds also `hold`, `release` and `expiry`.
             * @example posting
             */
            kind: string;
            /** @description The integrator's own facts. */
            metadata: components["schemas"]["BTreeMap"];
            /**
             * Format: int64
             * @description Its place in the log.
             * @example 1024
             */
            position: number;
            /**
             * @description When it was recorded.
             * @example 2026-03-01T12:00:00.000000Z
             */
            recorded_at: string;
            /**
             * Format: uuid
             * @description The reversal.
             */
            reversal?: string | null;
            /**
             * Format: uuid
             * @description The transaction that was posted or reversed.
             */
            transaction?: string | null;
        };
        /** @description A consent to pay a service without a PIN. */
        Mandate: {
            /** @description How much in each period: `amount` and `asset` of what is signed. */
            cap: components["schemas"]["Money"];
            /**
             * @description From then on it cannot be confirmed, while it can be.
             * @example 2026-03-01T12:10:00.000000Z
             */
            expires_at?: string | null;
            /**
             * Format: uuid
             * @description Its id: `intent_id` of what is signed.
             */
            id: string;
            /**
             * @description As it was called when you were asked.
             * @example Ônibus Centro
             */
            label: string;
            /**
             * @description What makes the signature good for this mandate alone, while it can be confirmed.
             * @example kWmVYqSg9zMPmFtpX1wIYA
             */
            nonce?: string | null;
            per_payment?: components["schemas"]["Money"] | null;
            /**
             * @description `day`, `week` or `month`, in the institution's time zone.
             * @example week
             */
            period: string;
            /**
             * @description When it was asked for.
             * @example 2026-03-01T12:00:00.000000Z
             */
            requested_at: string;
            /**
             * Format: uuid
             * @description The service: `payee` of what is signed.
             */
            service_id: string;
            /**
             * @description Since when it covers payments, or none any more.
             * @example 2026-03-01T12:01:00.000000Z
             */
            since?: string | null;
            /**
             * @description `requested`, `active`, `revoked` or `expired`.
             * @example requested
             */
            status: string;
        };
        /** @description A mandate that was consented to now. */
        MandateConsent: {
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * @description Since when it covers payments.
             * @example 2026-03-01T12:01:00.000000Z
             */
            since: string;
            /**
             * @description `active`.
             * @example active
             */
            status: string;
        };
        /** @description What to consent to. */
        MandateInput: {
            /** @description How much in each period, in the service's asset. */
            cap: components["schemas"]["MoneyInput"];
            per_payment?: components["schemas"]["MoneyInput"] | null;
            /**
             * @description What the cap is of, in the institution's time zone.
             * @example week
             */
            period: string;
            /**
             * Format: uuid
             * @description What may be paid: `service_id` of a charge.
             */
            service_id: string;
        };
        /** @description A person's mandates. */
        MandateList: {
            /** @description The oldest first. */
            mandates: components["schemas"]["Mandate"][];
        };
        /** @description One account's part. */
        MaskedLeg: {
            /**
             * @description The end of the account's id.
             * @example …3f6f
             */
            account: string;
            /** @description How much. */
            amount: components["schemas"]["Money"];
            /**
             * @description `debit` or `credit`.
             * @example debit
             */
            direction: string;
        };
        /** @description Money: a decimal string at the asset's scale, never a JSON number. */
        Money: {
            /**
             * @description Decimal text.
             * @example 12.50
             */
            amount: string;
            /**
             * @description The asset's code.
             * @example BRL
             */
            asset: string;
        };
        /** @description Money in a request. */
        MoneyInput: {
            /**
             * @description A decimal string greater than zero, such as `12.50`.
             * @example 12.50
             */
            amount: string;
            /**
             * @description The asset's code.
             * @example BRL
             */
            asset: string;
        };
        /** @description Nothing to say. */
        NothingToSay: Record<string, never>;
        /** @description One page of what happened. */
        Notifications: {
            /** @description The cursor of the next page; null on the last one. A page may hold few rows or none and still have a next one. */
            next?: string | null;
            /** @description The newest first. */
            notifications: components["schemas"]["OwnEvent"][];
        };
        /**
         * @description What a request did to the ledger, as far as the answer tells.
         * @enum {string}
         */
        Outcome: "none" | "applied" | "unknown";
        /** @description An account, to its owner. */
        OwnAccount: {
            /**
             * @description The asset's code.
             * @example BRL
             */
            asset: string;
            /**
             * Format: uuid
             * @description Its id, by which others pay to it.
             */
            id: string;
            /**
             * @description When it was opened.
             * @example 2026-03-01T12:00:00.000000Z
             */
            opened?: string | null;
            /**
             * @description `open`, `frozen` or `closed`.
             * @example open
             */
            status: string;
        };
        /** @description A balance, to its owner. */
        OwnBalance: {
            /**
             * @description When that was recorded.
             * @example 2026-03-01T12:00:00.000000Z
             */
            as_of?: string | null;
            /**
             * @description The asset's code.
             * @example BRL
             */
            asset: string;
            /**
             * @description What can be spent: total less held.
             * @example 80.00
             */
            available: string;
            /**
             * @description What is kept back for payments that are not finished.
             * @example 20.00
             */
            held: string;
            /**
             * @description What is announced to come.
             * @example 0.00
             */
            pending_in: string;
            /**
             * Format: int64
             * @description The newest position of the log that it knows of.
             * @example 1024
             */
            position: number;
            /**
             * @description What is there.
             * @example 100.00
             */
            total: string;
        };
        /** @description A charge that you have confirmed. */
        OwnCharge: {
            /** @description What you confirmed. */
            amount: components["schemas"]["Money"];
            /** @description What was captured of it. */
            captured: components["schemas"]["Money"];
            /**
             * @description When you confirmed it.
             * @example 2026-03-01T12:00:30.000000Z
             */
            confirmed_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * @description As it was called.
             * @example Ônibus Centro
             */
            label: string;
            /**
             * Format: uuid
             * @description The mandate that it was paid by.
             */
            mandate_id?: string | null;
            /**
             * @description What it was for, as the service calls it.
             * @example linha-343
             */
            reference?: string | null;
            /** @description What went back. */
            refunded: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description The service.
             */
            service_id: string;
            /**
             * @description `authorised`, `captured`, `partially_refunded`, `refunded`, `cancelled`, `expired` or `reversed`.
             * @example captured
             */
            status: string;
            /**
             * Format: uuid
             * @description The terminal that asked.
             */
            terminal: string;
            /** @description The transactions that captured it: your statement shows them, and each has a receipt. */
            transactions: string[];
        };
        /** @description A closing says nothing more. */
        OwnCloseInput: Record<string, never>;
        /** @description Something that happened to your account, or to what you prove yourself with. Members that say nothing of a kind are absent. */
        OwnEvent: {
            /**
             * @description What it changed of your total.
             * @example -12.50
             */
            amount?: string | null;
            balance?: components["schemas"]["Balance"] | null;
            /**
             * @description Why a session ended: `signed-out` or `reuse`.
             * @example reuse
             */
            because?: string | null;
            /**
             * @description Which contact was changed: `email` or `phone`.
             * @example phone
             */
            contact?: string | null;
            /**
             * Format: uuid
             * @description The account of the other side, when there is one and no more.
             */
            counterparty?: string | null;
            /**
             * Format: uuid
             * @description The device.
             */
            device?: string | null;
            /**
             * @description What it changed of what is held back.
             * @example 12.50
             */
            held?: string | null;
            /**
             * Format: uuid
             * @description The hold.
             */
            hold?: string | null;
            /**
             * @description What happened.
             * @example transaction.posted
             */
            kind: string;
            /**
             * Format: uuid
             * @description The payment that moved the money.
             */
            payment?: string | null;
            /**
             * Format: int64
             * @description Its place in the log, and what a stream goes on from.
             * @example 1024
             */
            position: number;
            /**
             * @description When it was recorded.
             * @example 2026-03-01T12:00:00.000000Z
             */
            recorded_at: string;
            /**
             * @description Which secret was changed: `password` or `pin`.
             * @example pin
             */
            secret?: string | null;
            /**
             * Format: uuid
             * @description The session.
             */
            session?: string | null;
            /**
             * @description What your account is from then on: `open`, `frozen` or `closed`.
             * @example frozen
             */
            status?: string | null;
            /**
             * Format: uuid
             * @description The transaction that was posted or reversed.
             */
            transaction?: string | null;
        };
        /** @description A freeze. */
        OwnFreezeInput: {
            reason?: components["schemas"]["FreezeReason"] | null;
        };
        /** @description A transfer as whoever reads it may see it. */
        OwnTransfer: components["schemas"]["Transfer"] | components["schemas"]["ReceivedTransfer"];
        /** @description Limits to be; those that are absent stay. */
        PayerLimitsInput: {
            /**
             * @description Of a calendar day.
             * @example 1000.00
             */
            day?: string | null;
            /**
             * @description Of a calendar month.
             * @example 5000.00
             */
            month?: string | null;
            /**
             * @description From 20:00 to 06:00.
             * @example 200.00
             */
            night?: string | null;
            /**
             * @description Of one payment.
             * @example 500.00
             */
            payment?: string | null;
        };
        /** @description Another PIN. */
        PinInput: {
            /**
             * @description The citizen's password.
             * @example quatro rios sem ponte
             */
            password: string;
            /**
             * @description Six digits that are not tried first.
             * @example 274906
             */
            pin: string;
        };
        /** @description What one payment costs: a fixed part and a part of its amount, rounded half up to a minor unit. */
        Price: {
            /**
             * Format: int32
             * @description Of the amount, in hundredths of a per cent.
             * @example 50
             */
            basis_points: number;
            /**
             * @description Whatever the amount is.
             * @example 0.10
             */
            fixed: string;
        };
        /** @description What payments cost. */
        Prices: {
            transfer?: components["schemas"]["Price"] | null;
            /**
             * Format: int32
             * @description How often the list was changed.
             * @example 1
             */
            version: number;
        };
        /** @description What is gone, and what stays. */
        PrivacyErasure: {
            /** @description What is gone. */
            erased: components["schemas"]["ErasedData"][];
            /**
             * @description When it was recorded: from then on nobody is shown anything of the person.
             * @example 2026-03-01T12:00:00.000000Z
             */
            erased_at: string;
            /** @description What stays. It leads to nobody any more. */
            retained: components["schemas"]["RetainedData"][];
        };
        /** @description What is known of a person. */
        PrivacyExport: {
            /** @description Their account, */
            account: components["schemas"]["OwnAccount"];
            /** @description By what others find them. */
            aliases: components["schemas"]["Alias"][];
            /** @description and what is on it. */
            balance: components["schemas"]["OwnBalance"];
            /** @description What they pay with. */
            devices: components["schemas"]["DeviceShown"][];
            /** @description What is too long for one answer, and where it is read. */
            elsewhere: components["schemas"]["Elsewhere"][];
            /**
             * @description When it was put together.
             * @example 2026-03-01T12:00:00.000000Z
             */
            exported_at: string;
            /** @description Who they are. */
            holder: components["schemas"]["HolderDetails"];
            /** @description What they may pay. */
            limits: components["schemas"]["LimitExported"][];
            /** @description Where they are signed in. */
            sessions: components["schemas"]["CitizenSessionShown"][];
        };
        /** @description A problem document (RFC 9457). */
        Problem: {
            /**
             * @description The stable code to match on.
             * @example insufficient-funds
             * @enum {string}
             */
            code: "malformed-request" | "idempotency-key-missing" | "unauthenticated" | "token-expired" | "dpop-invalid" | "token-reuse-detected" | "certificate-required" | "certificate-unknown" | "certificate-expired" | "forbidden" | "pin-invalid" | "pin-locked" | "device-untrusted" | "code-invalid" | "certificate-revoked" | "terminal-suspended" | "tenant-suspended" | "step-up-required" | "approval-required" | "not-found" | "method-not-allowed" | "request-timeout" | "sequence-conflict" | "request-in-flight" | "account-closed" | "invalid-state" | "name-taken" | "already-registered" | "alias-taken" | "hold-ended" | "charge-already-paid" | "charge-reversed" | "possible-duplicate" | "code-expired" | "subject-erased" | "charge-expired" | "condition-failed" | "version-mismatch" | "too-large" | "unsupported-media-type" | "signature-invalid" | "clock-skew" | "validation-failed" | "idempotency-mismatch" | "insufficient-funds" | "bound-exceeded" | "amount-overflow" | "account-frozen" | "role-conflict" | "unknown-asset" | "unknown-account" | "duplicate-account" | "unbalanced" | "capture-exceeds-hold" | "reversal-exceeds" | "limit-exceeded" | "night-limit" | "refund-exceeds-captured" | "refund-window-closed" | "group-failed" | "rate-limited" | "lookup-quota" | "internal-error" | "overloaded" | "ledger-halted" | "database-unavailable" | "view-behind" | "vault-sealed" | "outcome-unknown";
            /** @description The facts of this case, in English. */
            detail: string;
            /** @description The code of RFC 6749, from the token route only. */
            error?: string | null;
            /** @description The places at fault. */
            errors: components["schemas"]["ProblemFault"][];
            /**
             * @description The path of the request.
             * @example /v1/transactions
             */
            instance: string;
            /** @description What the request did. */
            outcome: components["schemas"]["Outcome"];
            /** @description Whether the same request under the same key may succeed later. */
            retryable: boolean;
            /**
             * Format: int32
             * @description The HTTP status.
             * @example 422
             */
            status: number;
            /** @description A few words for people, in English or Brazilian Portuguese. */
            title: string;
            /** @description To be named when asking for help. */
            trace_id: string;
            /**
             * @description Where the code is explained.
             * @example /docs/problems#insufficient-funds
             */
            type: string;
        };
        /** @description One place at fault: exactly one of `pointer`, `parameter` and `header` is present. */
        ProblemFault: {
            /** @description What is wrong there: `unknown-member`, `required`, `wrong-type`, `too-long`, `malformed`, `out-of-range`, or the problem's own code. */
            code: string;
            /** @description The same for people. */
            detail: string;
            /** @description Header. */
            header?: string | null;
            /** @description Parameter of the path, the query or a form. */
            parameter?: string | null;
            /**
             * @description JSON pointer into the body.
             * @example /amount/amount
             */
            pointer?: string | null;
        };
        /** @description A limit that goes up. */
        Raise: {
            /**
             * @description What will be allowed,
             * @example 2500.00
             */
            amount: string;
            /**
             * @description from then on.
             * @example 2026-03-02T12:00:00.000000Z
             */
            at: string;
        };
        /** @description A receipt to be handed on. */
        Receipt: {
            /**
             * @description Where to ask.
             * @example /v1/receipts/7K3M-09QX-T4WB-2HZD
             */
            check: string;
            /**
             * @description The code by which anybody may ask for it.
             * @example 7K3M-09QX-T4WB-2HZD
             */
            code: string;
            /** @description A compact JWS (`EdDSA`) of ids, amounts and times; `/.well-known/jwks.json` has the key. */
            signed: string;
        };
        /** @description A transfer from another person, as its payee sees it: what it cost the payer is not theirs to know. */
        ReceivedTransfer: {
            /** @description What came. */
            amount: components["schemas"]["Money"];
            /**
             * @description When.
             * @example 2026-03-01T12:00:30.000000Z
             */
            completed_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description What the payer wrote. */
            note?: string | null;
            /**
             * @description `completed`: of others the payee is told nothing.
             * @example completed
             */
            status: string;
            /**
             * Format: uuid
             * @description The transaction that moved the money.
             */
            transaction: string;
        };
        /** @description A recovered answer. */
        Recovered: {
            /** @description The body that was answered. */
            body: Record<string, never>;
            /** @description The code of the refusal, if it was one. */
            code?: string | null;
            /**
             * @description The key.
             * @example order-7
             */
            key: string;
            /**
             * Format: int64
             * @description The position of the first event, if there is one.
             * @example 1024
             */
            position?: number | null;
            /**
             * Format: int32
             * @description The HTTP status that was answered.
             * @example 201
             */
            status: number;
        };
        /** @description Who somebody says they are. */
        RecoveryInput: {
            /**
             * @description Eleven digits, with or without points and dash.
             * @example 529.982.247-25
             */
            cpf: string;
            /**
             * @description The tenant's name.
             * @example coffee-town
             */
            tenant: string;
        };
        /** @description A refresh token. */
        RefreshInput: {
            /**
             * @description The one that came last.
             * @example vtr_…
             */
            refresh_token: string;
        };
        /** @description Who somebody says they are. */
        RegistrationInput: {
            /**
             * @description Eleven digits, with or without points and dash.
             * @example 529.982.247-25
             */
            cpf: string;
            /**
             * @description Where the code goes. At least one of the two contacts is there.
             * @example ana@example.org
             */
            email?: string | null;
            /**
             * @description As the person writes it.
             * @example Ana Conceição
             */
            name: string;
            /**
             * @description With its country's code. The code goes there when there is no e-mail address.
             * @example +5511912345678
             */
            phone?: string | null;
            /**
             * @description The tenant's name.
             * @example coffee-town
             */
            tenant: string;
        };
        /**
         * @description Why a withdrawal was not paid out.
         * @enum {string}
         */
        Rejection: "refused-by-bank" | "account-unknown";
        /** @description What a code leads to: everything that is signed when it is confirmed, and who is paid, as the institution knows them. */
        ResolvedCharge: {
            /** @description How much: `amount` and `asset` of what is signed. */
            amount: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description Its id: `intent_id` of what is signed.
             */
            charge_id: string;
            /**
             * @description From then on it cannot be confirmed.
             * @example 2026-03-01T12:05:00.000000Z
             */
            expires_at: string;
            /**
             * Format: uuid
             * @description A mandate of yours that covers it, but for what was used of its cap: with it no PIN is asked for.
             */
            mandate_id?: string | null;
            /**
             * @description What makes the signature good for this charge alone.
             * @example kWmVYqSg9zMPmFtpX1wIYA
             */
            nonce: string;
            /** @description Who is paid. */
            payee: components["schemas"]["ChargePayee"];
            /**
             * @description What it is for, as the service calls it.
             * @example linha-343
             */
            reference?: string | null;
            /**
             * @description `created` while it can be confirmed; else what became of it.
             * @example created
             */
            status: string;
            /**
             * @description The terminal that asks, as people know it.
             * @example Carro 1204
             */
            terminal?: string | null;
        };
        /** @description Something that stays. */
        RetainedData: {
            /**
             * @description What.
             * @example movements
             */
            category: string;
            /**
             * @description By which law.
             * @example Lei 9.613/1998, art. 10, § 2º
             */
            legal_basis: string;
            /**
             * @description Until when it asks for that.
             * @example 2036-03-01T12:00:00.000000Z
             */
            until: string;
        };
        /**
         * @description Whether a transaction was taken back.
         * @enum {string}
         */
        Reversed: "no" | "partly" | "wholly";
        /** @description One page of a statement. */
        Statement: {
            /**
             * Format: uuid
             * @description The account.
             */
            account: string;
            /**
             * @description The asset's code.
             * @example BRL
             */
            asset: string;
            /** @description In recorded order. */
            entries: components["schemas"]["Line"][];
            /** @description The cursor of the next page; null on the last one. A page may hold few lines or none and still have a next one. */
            next?: string | null;
        };
        /** @description The caller's tenant. */
        Tenant: {
            /**
             * @description The assets that it may register; null is any.
             * @example [
             *       "BRL"
             *     ]
             */
            assets?: string[] | null;
            /**
             * @description The asset of its citizens' accounts; null: it has no citizens.
             * @example BRL
             */
            citizen_asset?: string | null;
            /**
             * @description When it was made.
             * @example 2026-03-01T12:00:00.000000Z
             */
            created_at: string;
            /**
             * @description The names that it is called by. Elsewhere it is known by its token alone.
             * @example [
             *       "wallet.example.org"
             *     ]
             */
            hostnames: string[];
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * @description `authorised`, `limited-purpose` or `sandbox`; null while nobody has said.
             * @example limited-purpose
             */
            legal_mode?: string | null;
            /**
             * @description Its name in the installation.
             * @example coffee-town
             */
            name: string;
            /**
             * @description `active`; or `suspended`, when it may look and not write.
             * @example active
             */
            status: string;
            /**
             * @description Where its days, nights and months begin.
             * @example America/Sao_Paulo
             */
            time_zone: string;
        };
        /** @description What a terminal is to be and do. */
        TerminalConfig: {
            /**
             * Format: int32
             * @description How often it says that it is there.
             * @example 60
             */
            heartbeat_seconds: number;
            /**
             * @description What payers are shown.
             * @example Market hall, stall 7
             */
            label?: string | null;
            /**
             * Format: uuid
             * @description What payers pay for at it.
             */
            service_id: string;
            /** @description What its maker and its owner agree on. */
            settings: {
                [key: string]: string;
            };
            /**
             * Format: uuid
             * @description Where it belongs; absent is nowhere.
             */
            unit?: string | null;
            /**
             * Format: int32
             * @description It grows with every change.
             * @example 3
             */
            version: number;
        };
        /** @description What a device proves itself with from now on, on the port for terminals. */
        TerminalEnrolment: {
            /**
             * @description Its certificate and the one that vouches for it, as PEM.
             * @example -----BEGIN CERTIFICATE-----
             *     …
             */
            certificate_chain: string;
            /** @description What the device is to be and do. */
            config: components["schemas"]["TerminalConfig"];
            /**
             * @description When it ends.
             * @example 2026-03-31T12:00:00.000000Z
             */
            expires_at: string;
            /**
             * Format: int64
             * @description The number of its next message.
             * @example 1
             */
            next_seq: number;
            /**
             * @description From when the certificate is renewed.
             * @example 2026-03-21T12:00:00.000000Z
             */
            renewable_from: string;
            /**
             * Format: uuid
             * @description Who it is.
             */
            terminal_id: string;
        };
        /** @description Money that comes in. */
        TopUp: {
            /** @description How much. */
            amount: components["schemas"]["Money"];
            /**
             * @description When it came.
             * @example 2026-03-01T12:00:01.000000Z
             */
            credited_at?: string | null;
            /**
             * @description What comes from then on is not credited.
             * @example 2026-03-02T12:00:00.000000Z
             */
            expires_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description What has to be done outside. */
            instructions: string;
            /**
             * @description The way in.
             * @example simulated
             */
            method: string;
            /**
             * @description What it is called outside.
             * @example sim-01983d6c8a007000800000000000000f
             */
            reference: string;
            /**
             * @description `awaiting_funds`, `credited`, `expired`, or `unclaimed`: it came too late, or for an account that is closed, and lies at the bank.
             * @example awaiting_funds
             */
            status: string;
            /**
             * Format: uuid
             * @description The transaction that put it on the account.
             */
            transaction?: string | null;
        };
        /** @description How much comes in, and by which way. */
        TopUpInput: {
            /** @description How much, in the account's asset. */
            amount: components["schemas"]["MoneyInput"];
            /**
             * @description The way in.
             * @example simulated
             */
            method: string;
        };
        /** @description A transfer to another person, as its payer sees it. */
        Transfer: {
            /** @description What the payee gets. */
            amount: components["schemas"]["Money"];
            /** @description When it was confirmed. */
            completed_at?: string | null;
            /**
             * @description From then on it cannot be confirmed.
             * @example 2026-03-01T12:10:00.000000Z
             */
            expires_at: string;
            /** @description What it costs the payer besides. */
            fee: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description Its id: `intent_id` of what is signed.
             */
            id: string;
            /**
             * @description What makes the signature good for this transfer alone.
             * @example kWmVYqSg9zMPmFtpX1wIYA
             */
            nonce: string;
            /** @description What the payer wrote to the payee; only when it is read. */
            note?: string | null;
            /**
             * Format: uuid
             * @description The payee: `payee` of what is signed.
             */
            payee: string;
            /**
             * @description When it was asked for.
             * @example 2026-03-01T12:00:00.000000Z
             */
            requested_at: string;
            /**
             * @description `requires_confirmation`, `completed` or `expired`.
             * @example requires_confirmation
             */
            status: string;
            /** @description What leaves the payer's account. */
            total: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description The transaction that moved the money.
             */
            transaction?: string | null;
        };
        /** @description Whom to pay, and how much. */
        TransferInput: {
            /** @description What the payee gets. */
            amount: components["schemas"]["MoneyInput"];
            /** @description What a look-up has found, within its ten minutes. */
            lookup_id: string;
            /**
             * @description From you to the payee, and read by nobody else; 1 to 140 characters.
             * @example almoço de sexta
             */
            note?: string | null;
        };
        /** @description Money that goes out. */
        Withdrawal: {
            /** @description How much; nothing is kept of it. */
            amount: components["schemas"]["Money"];
            /**
             * @description When it was confirmed, and the amount put aside.
             * @example 2026-03-01T12:01:00.000000Z
             */
            approved_at?: string | null;
            /**
             * @description When it was paid or rejected.
             * @example 2026-03-01T12:01:01.000000Z
             */
            ended_at?: string | null;
            /**
             * @description From then on it can be confirmed no more; gone once it was.
             * @example 2026-03-01T12:10:00.000000Z
             */
            expires_at?: string | null;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * @description What goes into the signature of its confirmation; gone once it was confirmed.
             * @example 0Gk1xUu0c2cJbJ9m2kX1Zw
             */
            nonce?: string | null;
            reason?: components["schemas"]["Rejection"] | null;
            /** @description What it is called outside, once it was paid. */
            reference?: string | null;
            /**
             * Format: uuid
             * @description The transaction that gave it back.
             */
            returned_by?: string | null;
            /**
             * @description `requires_confirmation`, `expired`, `approved`, `paid` or `rejected`.
             * @example requires_confirmation
             */
            status: string;
            /**
             * Format: uuid
             * @description The transaction that put the amount aside: what the account's statement shows.
             */
            transaction?: string | null;
        };
        /** @description How much goes out. */
        WithdrawalInput: {
            /** @description How much, in the account's asset. */
            amount: components["schemas"]["MoneyInput"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getWellKnownJwksJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JSON Web Key Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jwk-set+json": Record<string, never>;
                };
            };
        };
    };
    getAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnAccount"];
                };
            };
        };
    };
    getAccountBalance: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnBalance"];
                };
            };
        };
    };
    postAccountClose: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OwnCloseInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
        };
    };
    getAccountEntries: {
        parameters: {
            query?: {
                /** @description Effective at or after this instant or date */
                from?: string;
                /** @description Effective at or before this instant or date */
                to?: string;
                /** @description `holds` adds lines that moved no money */
                include?: string;
                /** @description Only `posting`, `capture`, `reversal`, `hold`, `release` or `expiry`; the last three with their lines */
                type?: string;
                /** @description Only what came `in` or went `out` */
                direction?: string;
                /**
                 * @description Only amounts from this on, whatever their direction
                 * @example 10.00
                 */
                min?: string;
                /**
                 * @description Only amounts up to this, whatever their direction
                 * @example 99.99
                 */
                max?: string;
                /** @description `next` of the page before */
                cursor?: string;
                /** @description 1 to 100 rows */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statement"];
                };
            };
        };
    };
    getAccountEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description Where a stream goes on */
                "Last-Event-ID"?: number | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["OwnEvent"];
                };
            };
        };
    };
    postAccountFreeze: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OwnFreezeInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
        };
    };
    getAccountStatement: {
        parameters: {
            query: {
                /** @description `csv`, `ofx` or `pdf` */
                format: string;
                /**
                 * @description The first day
                 * @example 2026-03-01
                 */
                from?: string;
                /**
                 * @description The last day
                 * @example 2026-03-31
                 */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/x-ofx": string;
                    "application/pdf": string;
                };
            };
        };
    };
    getAccountTransactionsIdReceipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The transaction's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
        };
    };
    postAliasLookups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AliasLookup"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AliasFound"];
                };
            };
        };
    };
    getAliases: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AliasList"];
                };
            };
        };
    };
    postAliases: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AliasInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alias"];
                };
            };
        };
    };
    deleteAliasesId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NothingToSay"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getChargeLocationsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As it stands in the code */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jose": string;
                };
            };
        };
    };
    postChargeResolutions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChargeCodeInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResolvedCharge"];
                };
            };
        };
    };
    getChargesId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnCharge"];
                };
            };
        };
    };
    postChargesIdConfirm: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChargeConfirmInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChargeConfirmation"];
                };
            };
        };
    };
    postContactChanges: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ContactInput"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeSent"];
                };
            };
        };
    };
    postContactChangesIdVerify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ContactProofInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContactChanged"];
                };
            };
        };
    };
    getDevices: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceList"];
                };
            };
        };
    };
    deleteDevicesId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NothingToSay"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitsNow"];
                };
            };
        };
    };
    patchLimits: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PayerLimitsInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitsAsked"];
                };
            };
        };
    };
    getMandates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MandateList"];
                };
            };
        };
    };
    postMandates: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MandateInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mandate"];
                };
            };
        };
    };
    deleteMandatesId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NothingToSay"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    postMandatesIdConfirm: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MandateConsent"];
                };
            };
        };
    };
    getNotifications: {
        parameters: {
            query?: {
                /** @description `next` of the page before */
                cursor?: string;
                /** @description 1 to 100 rows */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Notifications"];
                };
            };
        };
    };
    postPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CitizenPasswordInput"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    postPin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PinInput"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getPricesCode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The asset's code */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Prices"];
                };
            };
        };
    };
    postPrivacyErasures: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NothingToSay"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PrivacyErasure"];
                };
            };
        };
    };
    postPrivacyExports: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NothingToSay"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PrivacyExport"];
                };
            };
        };
    };
    getReceiptsCode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The receipt's code */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckedReceipt"];
                };
            };
        };
    };
    postRecoveries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoveryInput"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeSent"];
                };
            };
        };
    };
    postRecoveriesIdVerify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnrolmentInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CitizenTokens"];
                };
            };
        };
    };
    postRegistrations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegistrationInput"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeSent"];
                };
            };
        };
    };
    postRegistrationsIdVerify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnrolmentInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CitizenTokens"];
                };
            };
        };
    };
    getRequestsKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The Idempotency-Key */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Recovered"];
                };
            };
        };
    };
    getSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CitizenSessionList"];
                };
            };
        };
    };
    postSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CitizenSignInInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CitizenTokens"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeSent"];
                };
            };
        };
    };
    postSessionsRefresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CitizenTokens"];
                };
            };
        };
    };
    deleteSessionsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NothingToSay"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    postSessionsIdVerify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CodeInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CitizenTokens"];
                };
            };
        };
    };
    getTenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
        };
    };
    postTerminalEnrolments: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ArrivalInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerminalEnrolment"];
                };
            };
        };
    };
    postTopUps: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TopUpInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopUp"];
                };
            };
        };
    };
    getTopUpsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopUp"];
                };
            };
        };
    };
    postTransfers: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransferInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transfer"];
                };
            };
        };
    };
    getTransfersId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnTransfer"];
                };
            };
        };
    };
    postTransfersIdConfirm: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
        };
    };
    postWithdrawals: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WithdrawalInput"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Withdrawal"];
                };
            };
        };
    };
    getWithdrawalsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Withdrawal"];
                };
            };
        };
    };
    postWithdrawalsIdConfirm: {
        parameters: {
            query?: never;
            header: {
                /** @description Yours to choose, one per intent; the same key always gives the same answer */
                "Idempotency-Key": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmInput"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Withdrawal"];
                };
            };
        };
    };
}
