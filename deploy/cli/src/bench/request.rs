//! Requests written before the clock runs: whole bytes with slots for the key and for an id.

use uuid::Uuid;

/// Where an id of the client's own goes: written into paths and bodies, replaced before sending.
pub const ID: &str = "00000000-0000-0000-0000-000000000000";

/// A request as it will travel.
#[derive(Debug, Clone)]
pub struct Request {
    bytes: Vec<u8>,
    key_at: Option<usize>,
    ids_at: Vec<usize>,
    /// How many items it asks for.
    pub items: u32,
}

/// Requests that follow each other under one id: a hold and its capture, or a single one.
#[derive(Debug, Clone)]
pub struct Turn {
    /// In their order.
    pub requests: Vec<Request>,
    /// The key to use every time; otherwise each sending has a fresh one.
    pub key: Option<Uuid>,
}

impl Turn {
    /// One request under fresh keys.
    pub fn of(request: Request) -> Self {
        Self { requests: vec![request], key: None }
    }
}

/// Writes requests for one door and one token.
#[derive(Debug, Clone)]
pub struct Scribe {
    host: String,
    authorization: Vec<u8>,
}

impl Scribe {
    /// For a `Host` and an `Authorization`.
    pub fn new(host: String, authorization: Vec<u8>) -> Self {
        Self { host, authorization }
    }

    /// A read.
    pub fn get(&self, path: &str) -> Request {
        let mut bytes = self.head("GET", path);
        bytes.extend_from_slice(b"\r\n");
        Request { bytes, key_at: None, ids_at: Vec::new(), items: 1 }
    }

    /// A write of so many items.
    pub fn post(&self, path: &str, body: &[u8], items: u32) -> Request {
        let mut bytes = self.head("POST", path);
        bytes.extend_from_slice(
            format!("Content-Type: application/json\r\nContent-Length: {}\r\nIdempotency-Key: ", body.len()).as_bytes(),
        );
        let key_at = bytes.len();
        bytes.extend_from_slice(ID.as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body);
        let ids_at = memchr::memmem::find_iter(&bytes, ID).filter(|at| *at != key_at).collect();
        Request { bytes, key_at: Some(key_at), ids_at, items }
    }

    fn head(&self, method: &str, path: &str) -> Vec<u8> {
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: ", self.host).into_bytes();
        bytes.extend_from_slice(&self.authorization);
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

impl Request {
    /// Writes it into `outbox` under a key and with an id.
    pub fn fill(&self, outbox: &mut Vec<u8>, key: Uuid, id: Uuid) {
        outbox.clear();
        outbox.extend_from_slice(&self.bytes);
        let mut put = |at: usize, value: Uuid| {
            value.hyphenated().encode_lower(&mut outbox[at..at + ID.len()]);
        };
        if let Some(at) = self.key_at {
            put(at, key);
        }
        for at in &self.ids_at {
            put(*at, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_id_are_put_in_their_slots() {
        let scribe = Scribe::new("ledger:1".into(), b"Bearer t".to_vec());
        let request = scribe.post(&format!("/v1/holds/{ID}/captures"), format!("{{\"id\":\"{ID}\"}}").as_bytes(), 1);
        let mut outbox = Vec::new();
        request.fill(&mut outbox, Uuid::from_u128(7), Uuid::from_u128(9));
        let text = String::from_utf8(outbox).unwrap();
        let (key, id) = (Uuid::from_u128(7), Uuid::from_u128(9));
        assert!(text.starts_with(&format!("POST /v1/holds/{id}/captures HTTP/1.1\r\nHost: ledger:1\r\n")));
        assert!(text.contains(&format!("Idempotency-Key: {key}\r\n\r\n{{\"id\":\"{id}\"}}")));
        assert!(text.contains("Content-Length: 45\r\n"));
    }
}
