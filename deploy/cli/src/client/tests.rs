//! The client against a scripted server: real sockets, answers as a bad day would give them.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::*;

const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":600}"#;

/// What the server does with one request.
enum Act {
    Hangup,
    Answer(&'static str, &'static str, &'static str),
}

/// Serves the acts in order, one per request; gives the requests that came.
async fn serve(acts: Vec<Act>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        for act in acts {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let length = socket.read(&mut request).await.unwrap();
            seen.lock().await.push(String::from_utf8_lossy(&request[..length]).into_owned());
            if let Act::Answer(status, headers, body) = act {
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                );
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (url, requests)
}

async fn client(url: String) -> Result<Client, ClientError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s p\n").unwrap();
    let connection = Connection {
        url: Some(url),
        ca: None,
        client_id: Some("c:1".to_owned()),
        client_secret_file: Some(file.path().to_owned()),
        identity: None,
    };
    Client::connect(&connection).await
}

fn header(request: &str, name: &str) -> Option<String> {
    let line = request.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
    Some(line.split_once(": ")?.1.to_owned())
}

#[tokio::test]
async fn a_write_is_repeated_under_its_key_until_the_answer_is_definite() {
    let in_flight = r#"{"code":"request-in-flight","title":"t"}"#;
    let (url, requests) = serve(vec![
        Act::Answer("200 OK", "", TOKEN),
        Act::Hangup,
        Act::Answer("503 Service Unavailable", "Retry-After: 0\r\n", "<html>busy</html>"),
        Act::Answer("409 Conflict", "Retry-After: 0\r\n", in_flight),
        Act::Answer("429 Too Many Requests", "Retry-After: 0\r\n", "{}"),
        Act::Answer("201 Created", "Idempotency-Replayed: true\r\n", r#"{"id":7}"#),
    ])
    .await;
    let answer = client(url).await.unwrap().post("/v1/x", "key-1", Bytes::from_static(b"{}")).await.unwrap();
    assert!(answer.replayed);
    assert_eq!(answer.json::<serde_json::Value>().unwrap()["id"], 7);
    let requests = requests.lock().await;
    // RFC 6749: id and secret are form-encoded before they go into Basic.
    assert_eq!(header(&requests[0], "authorization").as_deref(), Some("Basic YyUzQTE6cyUyMHA="));
    assert_eq!(requests.len(), 6);
    for request in &requests[1..] {
        assert_eq!(header(request, "idempotency-key").as_deref(), Some("key-1"));
        assert_eq!(header(request, "authorization").as_deref(), Some("Bearer t"));
    }
}

#[tokio::test]
async fn a_refusal_is_definite() {
    let problem = r#"{"status":422,"code":"unbalanced","title":"Unbalanced","detail":"off by 1","errors":[{"pointer":"/items/3/transaction/legs","code":"x"}]}"#;
    let (url, _) =
        serve(vec![Act::Answer("200 OK", "", TOKEN), Act::Answer("422 Unprocessable Content", "", problem)]).await;
    let error = client(url).await.unwrap().post("/v1/x", "k", Bytes::new()).await.unwrap_err();
    let ClientError::Refused(problem) = error else { panic!("{error}") };
    assert_eq!(problem.to_string(), "off by 1 (unbalanced); /items/3/transaction/legs");
    assert_eq!(problem.pointed_index("/items/"), Some(3));
}

#[tokio::test]
async fn a_wrong_secret_is_known_at_once() {
    let (url, _) =
        serve(vec![Act::Answer("401 Unauthorized", "", r#"{"code":"unauthenticated","title":"Unknown client"}"#)])
            .await;
    assert!(matches!(client(url).await, Err(ClientError::Refused(problem)) if problem.status == 401));
}

#[test]
fn secrets_and_tokens_stay_private() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "secret").unwrap();
    std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let connection = |url: &str| Connection {
        url: Some(url.to_owned()),
        ca: None,
        client_id: None,
        client_secret_file: Some(file.path().to_owned()),
        identity: None,
    };
    let said = connection("").secret().unwrap_err().to_string();
    assert!(said.contains("others can read") && said.contains("644"), "{said}");
    for url in ["http://ledger.example", "ftp://127.0.0.1", "ledger"] {
        assert!(connection(url).base_url().is_err(), "{url}");
    }
    for url in ["https://ledger.example/", "http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:1"] {
        assert!(connection(url).base_url().is_ok(), "{url}");
    }
}
