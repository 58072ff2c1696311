//! A network that fails: questions and answers get lost, messages come twice, and some come when nobody expects them any more.
//!
//! What fails is decided here, above a connection that works: so a seed repeats it, and the server sees what it would see.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::chance::{Chance, Share};
use super::tally::{Event, Tally};
use crate::client::line::{Heard, Line, Saying};

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
    line: Line,
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

impl From<Heard> for Word {
    /// What its hearer may conclude: only a business refusal says that nothing happened and nothing will.
    fn from(Heard { status, body }: Heard) -> Self {
        let code = body["code"].as_str().unwrap_or_default();
        match status {
            200..300 => Self::Done(body),
            429 | 500.. => Self::Unclear,
            _ if code == "request-in-flight" => Self::Unclear,
            _ => Self::Refused(code.to_owned()),
        }
    }
}

impl Wire {
    /// A device's.
    pub fn new(device: String, line: Line, base: String, weather: Arc<Weather>, tally: Arc<Tally>) -> Self {
        Self { line, base, weather, tally, device, sent: HashMap::new() }
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
        if chance.hits(self.weather.late) && saying.method != "GET" {
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
        let (after, line) = (chance.time(LATE.0, LATE.1), self.line.clone());
        let (base, saying) = (self.base.clone(), saying.clone());
        self.weather.under_way.lock().await.spawn(async move {
            tokio::time::sleep(after).await;
            let _ = line.say(&base, &saying).await;
        });
    }

    async fn deliver(&self, saying: &Saying) -> Word {
        let Ok(heard) = self.line.say(&self.base, saying).await else {
            self.tally.count(Event::Unreached);
            return Word::Unclear;
        };
        self.tally.answered(heard.status, heard.body["code"].as_str());
        heard.into()
    }
}
