//! Clients that move money through bad days, and remember what they were told.

use crate::server::Credentials;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Wallets that the clients move money between: few, so that they meet.
pub const WALLETS: usize = 5;
/// Longer than any outage that a test makes, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a client knows of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A definite answer: status and body.
    Answer(u16, String),
    /// No answer, or one that leaves it open.
    Nothing,
}

/// A journal of keys: the body that was sent and what came back.
pub type Journal = Arc<Mutex<HashMap<String, (Value, Told)>>>;

/// Clients at work until they are called back.
pub struct Load {
    /// What they were told.
    pub journal: Journal,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    /// Lets clients begin. Their numbers stand in their keys, so no two of them may ever have the same.
    pub fn begin(client: &Client, numbers: Range<usize>) -> Self {
        let (journal, stop) = (Journal::default(), Arc::new(AtomicBool::new(false)));
        let begin = |number| tokio::spawn(run(client.clone(), number, stop.clone(), journal.clone()));
        let tasks = numbers.map(begin).collect();
        Self { journal, stop, tasks }
    }

    /// Waits until so many more requests were acknowledged: a fault means something only between those,
    /// and how long they take is the machine's affair.
    pub async fn acknowledges(&self, more: usize) {
        let count = || self.journal.lock().unwrap().values().filter(|(_, told)| *told != Told::Nothing).count();
        let (wanted, end) = (count() + more, Instant::now() + PATIENCE);
        while count() < wanted {
            assert!(Instant::now() < end, "{more} requests were not acknowledged within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Calls the clients back; answers what they were told.
    pub async fn end(self) -> Journal {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.journal
    }
}

/// One client of the API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    credentials: Credentials,
    token: Arc<Mutex<Option<String>>>,
}

impl Client {
    /// Talks to one address; the server behind it may come and go.
    pub fn new(url: &str, credentials: Credentials) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { http, url: url.to_owned(), credentials, token: Arc::default() }
    }

    /// What it proves with who it is.
    pub fn secret(&self) -> String {
        self.credentials.secret.clone()
    }

    /// A token, kept while it is good.
    pub async fn token(&self) -> Option<String> {
        if let Some(token) = self.token.lock().unwrap().clone() {
            return Some(token);
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.credentials.id.to_string()),
            ("client_secret", &self.credentials.secret),
        ];
        let body = form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let request = self
            .http
            .post(format!("{}/v1/token", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let answer: Value = request.send().await.ok()?.json().await.ok()?;
        let token = answer["access_token"].as_str()?.to_owned();
        *self.token.lock().unwrap() = Some(token.clone());
        Some(token)
    }

    /// Sends once. 5xx, 429, `request-in-flight` and broken connections leave it open.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> (Told, bool) {
        let Some(token) = self.token().await else { return (Told::Nothing, false) };
        let request =
            self.http.post(format!("{}{path}", self.url)).bearer_auth(token).header("Idempotency-Key", key).json(body);
        let Ok(answer) = request.send().await else { return (Told::Nothing, false) };
        let status = answer.status().as_u16();
        let is_replay = answer.headers().contains_key("idempotency-replayed");
        let Ok(text) = answer.text().await else { return (Told::Nothing, false) };
        let is_open = status >= 500 || status == 429 || status == 401 || text.contains("request-in-flight");
        if is_open { (Told::Nothing, false) } else { (Told::Answer(status, text), is_replay) }
    }

    /// Sends until there is a definite answer.
    pub async fn insist(&self, path: &str, key: &str, body: &Value) -> (u16, String, bool) {
        for _ in 0..600 {
            if let (Told::Answer(status, text), is_replay) = self.post(path, key, body).await {
                return (status, text, is_replay);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{key} has no definite answer after half a minute of trying")
    }

    /// A bank and some wallets with money.
    pub async fn set_up(&self, wallets: usize) {
        let made = [
            ("/v1/assets", json!({"code": "BRL", "scale": 2})),
            ("/v1/accounts", json!({"name": "bank", "asset": "BRL", "normal_side": "debit", "min_balance": null})),
        ];
        for (number, (path, body)) in made.iter().enumerate() {
            let (status, text, _) = self.insist(path, &format!("set-up-{number}"), body).await;
            assert_eq!(status, 201, "{text}");
        }
        for wallet in 0..wallets {
            let opened = self
                .insist(
                    "/v1/accounts",
                    &format!("open-{wallet}"),
                    &json!({"name": format!("w{wallet}"), "asset": "BRL"}),
                )
                .await;
            assert_eq!(opened.0, 201, "{}", opened.1);
            let funded = self
                .insist(
                    "/v1/transactions",
                    &format!("fund-{wallet}"),
                    &transfer("bank", &format!("w{wallet}"), "100.00", "funding"),
                )
                .await;
            assert_eq!(funded.0, 201, "{}", funded.1);
        }
    }
}

/// The body of a transfer in BRL; the mark finds it in the log.
pub fn transfer(from: &str, to: &str, amount: &str, mark: &str) -> Value {
    json!({"from": from, "to": to, "amount": {"amount": amount, "asset": "BRL"}, "metadata": {"mark": mark}})
}

/// Moves money between few wallets until told to stop. A client goes on to its next key whatever
/// became of the last one: what stays open is asked about at the end.
async fn run(client: Client, number: usize, stop: Arc<AtomicBool>, journal: Journal) {
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        let key = format!("c{number}-{round}");
        let (from, to) = ((number + round) % WALLETS, (number + round * 3 + 1) % WALLETS);
        let to = if from == to { (to + 1) % WALLETS } else { to };
        // Every tenth asks for too much, so refusals are among what must survive.
        let amount = if round % 10 == 9 { "100000.00" } else { "1.00" };
        let body = transfer(&format!("w{from}"), &format!("w{to}"), amount, &key);
        journal.lock().unwrap().insert(key.clone(), (body.clone(), Told::Nothing));
        let (told, _) = client.post("/v1/transactions", &key, &body).await;
        if told == Told::Nothing {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        journal.lock().unwrap().insert(key, (body, told));
        round += 1;
    }
}

/// Asks about every key again. What was answered is answered the same, byte for byte; what was left
/// open gets one definite answer. Answers how many had been acknowledged and how many left open.
pub async fn settle(client: &Client, journal: &Journal) -> (HashMap<String, u16>, usize, usize) {
    let keys = journal.lock().unwrap().clone();
    let (mut statuses, mut acknowledged, mut open) = (HashMap::new(), 0, 0);
    for (key, (body, told)) in keys {
        let (status, text, is_replay) = client.insist("/v1/transactions", &key, &body).await;
        match told {
            Told::Answer(first, first_text) => {
                assert_eq!((status, &text), (first, &first_text), "{key} was answered differently");
                assert!(is_replay, "{key} was done again");
                acknowledged += 1;
            }
            Told::Nothing => {
                open += 1;
                let again = client.insist("/v1/transactions", &key, &body).await;
                assert_eq!((again.0, again.1), (status, text), "{key} has two answers");
            }
        }
        statuses.insert(key, status);
    }
    (statuses, acknowledged, open)
}
