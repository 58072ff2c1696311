//! A network that fails: questions and answers get lost, messages come twice, and some come when nobody expects them any more.
//!
//! What fails is decided here, above a connection that works: so a seed repeats it, and the server sees what it would see.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::chance::{Chance, Share};
use super::tally::{Event, Tally};

/// After so long whoever sent something stops listening.
const PATIENCE: Duration = Duration::from_secs(8);
/// How late a late message is.
const LATE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
/// How long somebody listens to whom nothing will be said, scaled down so that a run holds many.
const SILENCE: Duration = Duration::from_millis(300);

/// How bad it is.
#[derive(Debug)]
pub struct Weather {
    /// What all chance follows from.
    pub seed: u64,
    /// Of the messages, questions and answers half each.
    pub loss: Share,
    /// Come twice.
    pub doubled: Share,
    /// Come when their sender has given up.
    pub late: Share,
    calm: AtomicBool,
    under_way: Mutex<JoinSet<()>>,
}

/// What is said.
#[derive(Debug, Clone)]
pub struct Saying {
    /// Its method.
    pub method: Method,
    /// Its path with its query.
    pub path: String,
    /// What goes with it.
    pub headers: Vec<(&'static str, String)>,
    /// What it says.
    pub body: Option<Value>,
}

/// What was heard.
#[derive(Debug)]
pub struct Heard {
    /// HTTP status.
    pub status: u16,
    /// The whole answer.
    pub body: Value,
}

/// What somebody makes of what they heard, or did not hear.
#[derive(Debug)]
pub enum Word {
    /// It was done.
    Done(Value),
    /// It was refused, and nothing came of it.
    Refused(String),
    /// Nobody knows: ask again.
    Unclear,
}

/// One device's way to a server.
#[derive(Debug)]
pub struct Wire {
    http: reqwest::Client,
    base: String,
    weather: Arc<Weather>,
    tally: Arc<Tally>,
    /// Whose it is, and how often each message was sent: what becomes of one follows from the seed and these.
    device: String,
    sent: HashMap<String, u32>,
}

impl Weather {
    /// As bad as it is.
    pub fn new(seed: u64, loss: Share, doubled: Share, late: Share) -> Self {
        Self { seed, loss, doubled, late, calm: AtomicBool::new(false), under_way: Mutex::default() }
    }

    /// Nothing is lost from now on.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }

    /// Whether it has calmed down.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    /// Until everything that was late has come.
    pub async fn all_came(&self) {
        let mut under_way = self.under_way.lock().await;
        while under_way.join_next().await.is_some() {}
    }
}

impl Saying {
    /// A question.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), headers: Vec::new(), body: None }
    }

    /// A message that is idempotent by its address.
    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PUT, path: path.into(), headers: Vec::new(), body: Some(body) }
    }

    /// A message under a key.
    pub fn post(path: impl Into<String>, key: &str, body: Value) -> Self {
        let headers = vec![("Idempotency-Key", key.to_owned())];
        Self { method: Method::POST, path: path.into(), headers, body: Some(body) }
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Heard {
    /// What its hearer may conclude: only a business refusal says that nothing happened and nothing will.
    fn word(self) -> Word {
        let code = self.body["code"].as_str().unwrap_or_default();
        match self.status {
            200..300 => Word::Done(self.body),
            429 | 500.. => Word::Unclear,
            _ if code == "request-in-flight" => Word::Unclear,
            _ => Word::Refused(code.to_owned()),
        }
    }
}

impl Wire {
    /// A device's, by a client that shows what it has to show.
    pub fn new(device: String, http: reqwest::Client, base: String, weather: Arc<Weather>, tally: Arc<Tally>) -> Self {
        Self { http, base, weather, tally, device, sent: HashMap::new() }
    }

    /// Says something once, and hears what the network lets through.
    pub async fn say(&mut self, saying: &Saying) -> Word {
        if self.weather.is_calm() {
            return self.deliver(saying).await;
        }
        self.tally.count(Event::Message);
        let chance = &mut self.luck_of(saying);
        if chance.hits(self.weather.loss) {
            self.tally.count(Event::Lost);
            // Half of what is lost has done what it was to do.
            if chance.hits(Share::thousandths(500)) {
                let _ = self.deliver(saying).await;
            } else {
                tokio::time::sleep(SILENCE).await;
            }
            return Word::Unclear;
        }
        if chance.hits(self.weather.late) && saying.method != Method::GET {
            self.tally.count(Event::Late);
            self.send_late(chance, saying).await;
            return Word::Unclear;
        }
        if chance.hits(self.weather.doubled) {
            self.tally.count(Event::Doubled);
            let (first, _) = tokio::join!(self.deliver(saying), self.deliver(saying));
            return first;
        }
        self.deliver(saying).await
    }

    fn luck_of(&mut self, saying: &Saying) -> Chance {
        let message = format!("{} {} {}", self.device, saying.method, saying.path);
        let times = self.sent.entry(message.clone()).and_modify(|times| *times += 1).or_insert(1);
        Chance::of(self.weather.seed, &format!("{message} {times}"))
    }

    async fn send_late(&self, chance: &mut Chance, saying: &Saying) {
        let (after, http) = (chance.time(LATE.0, LATE.1), self.http.clone());
        let (base, saying) = (self.base.clone(), saying.clone());
        self.weather.under_way.lock().await.spawn(async move {
            tokio::time::sleep(after).await;
            let _ = send(&http, &base, &saying).await;
        });
    }

    async fn deliver(&self, saying: &Saying) -> Word {
        match send(&self.http, &self.base, saying).await {
            Ok(heard) => {
                self.tally.answered(heard.status, heard.body["code"].as_str());
                heard.word()
            }
            Err(_) => {
                self.tally.count(Event::Unreached);
                Word::Unclear
            }
        }
    }
}

async fn send(http: &reqwest::Client, base: &str, saying: &Saying) -> Result<Heard, reqwest::Error> {
    let request = http.request(saying.method.clone(), format!("{base}{}", saying.path)).timeout(PATIENCE);
    let request = saying.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let request = match &saying.body {
        Some(body) => request.json(body),
        None => request,
    };
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await?;
    Ok(Heard { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}
