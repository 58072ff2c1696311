//! What forgers send instead of a token, over HTTP: each gets the same 401 as everybody who has none, and nobody a 500.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::{Value, json};
use vintem_api::cursor::CursorKeys;
use vintem_core::access::SigningKeys;
use vintem_core::secrets::{Followed, KeyRing, random};
use vintem_core::telemetry::clock;
use vintem_tests::api::{Client, ISSUER, Keys, Read, Server, read};
use vintem_tests::store::Store;

/// A forger who has everything but our key; and our key, to sign what no server of ours would.
struct Forge {
    ours: Ed25519KeyPair,
    theirs: Ed25519KeyPair,
    header: Value,
    claims: Value,
}

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

fn signed(key: &Ed25519KeyPair, text: &str) -> String {
    format!("{text}.{}", encode(key.sign(text.as_bytes())))
}

impl Forge {
    fn parts(&self, alter: impl FnOnce(&mut Value, &mut Value)) -> String {
        let (mut header, mut claims) = (self.header.clone(), self.claims.clone());
        alter(&mut header, &mut claims);
        format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
    }

    /// Signed with our key, and different from a good one in what `alter` does.
    fn ours(&self, alter: impl FnOnce(&mut Value, &mut Value)) -> String {
        signed(&self.ours, &self.parts(alter))
    }

    fn theirs(&self, alter: impl FnOnce(&mut Value, &mut Value)) -> String {
        signed(&self.theirs, &self.parts(alter))
    }

    fn good(&self) -> String {
        self.ours(|_, _| {})
    }

    fn public(&self) -> Vec<u8> {
        use aws_lc_rs::signature::KeyPair as _;
        self.ours.public_key().as_ref().to_vec()
    }

    /// Algorithms that are not ours, and keys that come along.
    fn of_headers(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut add = |name: &str, token: String| all.push((name.to_owned(), token));
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            let parts = self.parts(|header, _| header["alg"] = alg.into());
            add(&format!("alg {alg:?} without signature"), format!("{parts}."));
            add(&format!("alg {alg:?} with one"), signed(&self.ours, &parts));
        }
        for (alg, algorithm) in
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
        {
            let pem =
                format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(self.public()));
            for key in [self.public(), encode(self.public()).into_bytes(), pem.into_bytes(), Vec::new()] {
                let parts = self.parts(|header, _| header["alg"] = alg.into());
                let tag = hmac::sign(&hmac::Key::new(algorithm, &key), parts.as_bytes());
                add(&format!("{alg} with {} bytes of our public key", key.len()), format!("{parts}.{}", encode(tag)));
            }
        }
        for alg in ["RS256", "PS256", "ES256", "ES256K", "EdDSA448", "ed25519", "HS256"] {
            add(&format!("{alg} over a signature by EdDSA"), self.ours(|header, _| header["alg"] = alg.into()));
        }
        let kids = [
            json!("../../../../dev/null"),
            json!("../../kv/token-signing"),
            json!("/dev/null"),
            json!("' OR 1=1 --"),
            json!(""),
            json!("\u{0}"),
            json!("k".repeat(3_000)),
            json!(1),
            json!(["a"]),
            json!({"a": 1}),
            Value::Null,
        ];
        for kid in kids {
            let name = format!("kid {:.20}", kid.to_string());
            add(&name, self.ours(|header, _| header["kid"] = kid.clone()));
            add(&name, self.theirs(|header, _| header["kid"] = kid));
        }
        add("no kid", self.ours(|header, _| _ = header.as_object_mut().unwrap().remove("kid")));
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(self.public())});
        for (member, value) in [
            ("jwk", jwk),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/cert.pem")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("AAAA")),
            ("x5t#S256", json!("AAAA")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("typ", json!("JWT")),
            ("typ", json!("dpop+jwt")),
            ("typ", Value::Null),
            ("cty", json!("JWT")),
        ] {
            add(&format!("{member} by another"), self.theirs(|header, _| header[member] = value.clone()));
            // These say nothing of a key; a token of ours with them is one of ours.
            if !matches!(member, "b64" | "cty") {
                add(&format!("{member} by us"), self.ours(|header, _| header[member] = value));
            }
        }
        all
    }

    /// Claims that are not ours.
    fn of_claims(&self) -> Vec<(String, String)> {
        let now = clock::now().timestamp();
        let mut all = Vec::new();
        for (claim, value) in [
            ("iss", json!("https://evil.example")),
            ("iss", json!(format!("{ISSUER}/"))),
            ("iss", json!([ISSUER])),
            ("aud", json!("another")),
            ("aud", json!([])),
            ("aud", Value::Null),
            ("exp", json!(now - 60)),
            ("exp", json!(0)),
            ("exp", json!(-1)),
            ("exp", json!("9999999999")),
            ("exp", json!(1e300)),
            ("exp", Value::Null),
            ("nbf", json!(now + 60)),
            ("nbf", json!(i64::MAX)),
            ("iat", json!(now + 60)),
            ("iat", json!("now")),
            ("sub", json!("admin")),
            ("sub", json!("")),
            ("tenant", json!("*")),
            ("tenant", Value::Null),
            ("scope", json!("ledger:everything")),
            ("scope", json!(1)),
            ("cnf", json!({})),
            ("cnf", json!({"jkt": ""})),
            ("cnf", json!({"kid": "a"})),
            ("cnf", json!("a")),
            ("networks", json!(["everywhere"])),
            ("networks", json!(["203.0.113.0/33"])),
        ] {
            all.push((format!("{claim} {:.30}", value.to_string()), self.ours(|_, claims| claims[claim] = value)));
        }
        for claim in ["iss", "aud", "sub", "tenant", "scope", "jti", "iat", "nbf", "exp"] {
            all.push((format!("no {claim}"), self.ours(|_, claims| _ = claims.as_object_mut().unwrap().remove(claim))));
        }
        all
    }

    /// Texts that are no JSON of ours, under a good signature.
    fn of_texts(&self) -> Vec<(String, String)> {
        let (header, claims) = (self.header.to_string(), self.claims.to_string());
        let twice = |text: &str, member: &str, value: &str| text.replacen('{', &format!("{{\"{member}\":{value},"), 1);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
        let (header, claims) = (header.as_str(), claims.as_str());
        let texts: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
            ("alg twice", twice(header, "alg", "\"none\"").into(), claims.into()),
            ("kid twice", twice(header, "kid", "\"a\"").into(), claims.into()),
            ("exp twice", header.into(), twice(claims, "exp", "9999999999").into()),
            ("sub twice", header.into(), twice(claims, "sub", "\"a\"").into()),
            ("tenant twice", header.into(), twice(claims, "tenant", "\"a\"").into()),
            ("deep claims", header.into(), deep.clone().into()),
            ("deep header", deep.into(), claims.into()),
            ("no UTF-8 in the claims", header.into(), [claims.as_bytes(), b"\xff"].concat()),
            ("no UTF-8 in the header", b"\xff\xfe".to_vec(), claims.into()),
            ("a byte order mark", header.into(), ["\u{feff}", claims].concat().into()),
            ("an array", header.into(), b"[]".to_vec()),
            ("null", header.into(), b"null".to_vec()),
            ("nothing", header.into(), Vec::new()),
            ("two values", header.into(), [claims, claims].concat().into()),
        ];
        texts
            .into_iter()
            .map(|(name, header, claims)| {
                (name.to_owned(), signed(&self.ours, &format!("{}.{}", encode(header), encode(claims))))
            })
            .collect()
    }

    /// A good token, damaged.
    fn damaged(&self) -> Vec<(String, String)> {
        let good = self.good();
        let mut all: Vec<(String, String)> =
            (1..good.len()).step_by(13).map(|end| (format!("cut after {end}"), good[..end].to_owned())).collect();
        for (name, text) in [
            ("padded", format!("{good}==")),
            ("a fourth part", format!("{good}.{}", encode("{}"))),
            ("a point more", format!("{good}.")),
            ("another alphabet", good.replace('-', "+").replace('_', "/") + "+"),
            ("5 KB", format!("{good}{}", "A".repeat(5_000))),
            ("60 KB", "A".repeat(60_000)),
            ("points", ".".repeat(3_000)),
        ] {
            all.push((name.to_owned(), text));
        }
        all
    }
}

async fn forge() -> (Store, Server, Client, Forge) {
    let store = Store::create().await;
    let ours = Ed25519KeyPair::generate().unwrap();
    let der = STANDARD.encode(ours.to_pkcs8v1().unwrap());
    let pem = SecretString::from(format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n"));
    let ring = KeyRing::new(pem, clock::now());
    let cursors = KeyRing::new(SecretString::from(STANDARD.encode(random::bytes::<32>())), clock::now());
    let keys = Keys {
        tokens: Followed::fixed(SigningKeys::try_new(&ring).unwrap()),
        cursors: Followed::fixed(CursorKeys::try_new(&cursors).unwrap()),
    };
    let server = Server::with_keys(&store, keys).await;
    let client = server.client(&store, "coffee-town", "ledger:read").await;
    let part = |index| {
        let text = client.token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let forge = Forge { ours, theirs: Ed25519KeyPair::generate().unwrap(), header: part(0), claims: part(1) };
    (store, server, client, forge)
}

/// The members of the document, which are the same for all, and where it points.
fn shape(answer: &Read) -> (Vec<String>, Value) {
    let document = answer.json();
    (document.as_object().unwrap().keys().cloned().collect(), document["errors"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_token_is_accepted_and_all_are_answered_alike() {
    let (store, server, client, forge) = forge().await;
    let send = async |value: HeaderValue| {
        read(client.http.get(server.url("/v1/accounts")).header("Authorization", value)).await
    };
    let bearer = |token: &str| HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    send(bearer(&forge.good())).await.expect(200);
    let plain = shape(&send(bearer("a.b.c")).await);
    let all = [forge.of_headers(), forge.of_claims(), forge.of_texts(), forge.damaged()].concat();
    assert!(all.len() > 150, "{}", all.len());
    for (name, token) in all {
        let answer = send(bearer(&token)).await;
        assert_eq!(answer.status.as_u16(), 401, "{name}: {}", String::from_utf8_lossy(&answer.bytes));
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{name}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"), "{name}");
        match answer.code().as_str() {
            // Of those that expired, and of nothing else, it is said.
            "token-expired" => assert!(name.starts_with("exp"), "{name}"),
            code => assert_eq!((code, shape(&answer)), ("unauthenticated", plain.clone()), "{name}"),
        }
    }
    // Not a text at all.
    let answer = send(HeaderValue::from_bytes(b"Bearer \xff\xfe.b.c").unwrap()).await;
    assert_eq!(answer.expect(401)["code"], "unauthenticated");
    // Longer than any header: whoever reads it does not end by it.
    let huge = send(bearer(&"A".repeat(100_000))).await;
    assert!((400..500).contains(&huge.status.as_u16()), "{}", huge.status);
    send(bearer(&forge.good())).await.expect(200);
    server.stop().await;
    store.close().await;
}
