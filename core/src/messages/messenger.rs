//! The queue of messages and the task that sends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::error::SendError;
use super::message::Message;
use crate::secrets::random::jitter;

/// Messages that wait until they are sent.
const QUEUE: usize = 1_000;
/// Messages under way: one that is tried again and again holds up nobody else.
const AT_ONCE: usize = 32;
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(15);
/// How long a message is tried for in all.
const PATIENCE: Duration = Duration::from_mins(2);
/// The pauses between attempts.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(45)];

/// A way to reach people.
pub trait Sender: Send + Sync + 'static {
    /// Hands a message to whoever delivers it. Boxed, so that a process chooses its sender when it starts.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), SendError>>;
}

/// Takes messages for the background. Cheap to clone; the task ends when the last clone is gone and nothing waits.
#[derive(Clone)]
pub struct Messenger {
    queue: Option<mpsc::Sender<Message>>,
    tally: Arc<Tally>,
}

/// What became of the messages of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed over to whoever delivers them.
    pub sent: u64,
    /// Given up.
    pub failed: u64,
    /// Not even queued.
    pub dropped: u64,
    /// Queued or under way.
    pub waiting: u64,
}

#[derive(Default)]
struct Tally {
    queued: AtomicU64,
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Messenger {
    /// Over a sender. Starts the task, so it is called inside a runtime.
    pub fn new(sender: Arc<dyn Sender>) -> Self {
        Self::with_pauses(sender, &PAUSES)
    }

    /// The same with pauses of one's own between the attempts: as many again as there are pauses.
    pub fn with_pauses(sender: Arc<dyn Sender>, pauses: &'static [Duration]) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let tally = Arc::<Tally>::default();
        tokio::spawn(work(sender, waiting, Arc::clone(&tally), pauses));
        Self { queue: Some(queue), tally }
    }

    /// For a process that can reach nobody.
    pub fn nowhere() -> Self {
        Self { queue: None, tally: Arc::default() }
    }

    /// Whether messages go anywhere at all.
    pub fn is_there(&self) -> bool {
        self.queue.is_some()
    }

    /// Takes a message, and never waits: one that finds no place is dropped.
    pub fn post(&self, message: Message) {
        // Before it is queued, so that the task never counts a message that nobody has queued yet.
        self.tally.queued.fetch_add(1, Ordering::Relaxed);
        if self.queue.as_ref().is_some_and(|queue| queue.try_send(message).is_ok()) {
            return;
        }
        self.tally.queued.fetch_sub(1, Ordering::Relaxed);
        self.tally.dropped.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(has_sender = self.is_there(), "a message is dropped");
    }

    /// What became of all that was posted here.
    pub fn counts(&self) -> Counts {
        let Tally { queued, sent, failed, dropped } = &*self.tally;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (sent, failed) = (read(sent), read(failed));
        let waiting = read(queued).saturating_sub(sent).saturating_sub(failed);
        Counts { sent, failed, dropped: read(dropped), waiting }
    }

    /// Waits until nothing waits any more, so that a process which ends in peace loses no message, but never for longer.
    pub async fn finish(&self, within: Duration) {
        let idle = async {
            while self.counts().waiting > 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(within, idle).await.is_err() {
            tracing::warn!(waiting = self.counts().waiting, "messages are lost with the end of the process");
        }
    }
}

/// Sends what comes until nobody can post any more.
async fn work(
    sender: Arc<dyn Sender>,
    mut waiting: mpsc::Receiver<Message>,
    tally: Arc<Tally>,
    pauses: &'static [Duration],
) {
    let mut under_way = FuturesUnordered::new();
    let mut is_open = true;
    while is_open || !under_way.is_empty() {
        tokio::select! {
            message = waiting.recv(), if is_open && under_way.len() < AT_ONCE => match message {
                Some(message) => under_way.push(deliver(&*sender, message, pauses)),
                None => is_open = false,
            },
            Some(sent) = under_way.next() => {
                if let Err(error) = sent {
                    tracing::warn!(%error, "a message is given up");
                }
                let count = if sent.is_ok() { &tally.sent } else { &tally.failed };
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Tries until it is sent, in vain, or too late.
async fn deliver(sender: &dyn Sender, message: Message, pauses: &[Duration]) -> Result<(), SendError> {
    let attempt = async || timeout(ATTEMPT, sender.send(&message)).await.unwrap_or(Err(SendError::Silent));
    let tries = async {
        let mut sent = attempt().await;
        for pause in pauses {
            if sent.is_ok() || sent.is_err_and(SendError::is_final) {
                break;
            }
            // What an outage has stopped does not come back all at once.
            sleep(jitter(*pause, 20)).await;
            sent = attempt().await;
        }
        sent
    };
    timeout(PATIENCE, tries).await.unwrap_or(Err(SendError::Silent))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::message::Contact;
    use super::*;
    use crate::holders::details::Private;

    /// Answers attempts with these in turn, then with success.
    struct Moody(Mutex<Vec<SendError>>);

    impl Sender for Moody {
        fn send<'a>(&'a self, _: &'a Message) -> BoxFuture<'a, Result<(), SendError>> {
            let next = self.0.lock().unwrap().pop();
            Box::pin(async move { next.map_or(Ok(()), Err) })
        }
    }

    fn message() -> Message {
        let private = |text: &str| Private::new(text.to_owned());
        Message { to: Contact::Email(private("ana@example.com")), subject: String::new(), text: private("1") }
    }

    async fn after(moods: &[SendError]) -> Counts {
        const SHORT: [Duration; 2] = [Duration::from_millis(1); 2];
        let messenger = Messenger::with_pauses(Arc::new(Moody(Mutex::new(moods.to_vec()))), &SHORT);
        messenger.post(message());
        messenger.finish(Duration::from_secs(10)).await;
        messenger.counts()
    }

    #[tokio::test]
    async fn a_message_is_tried_a_few_times_and_then_given_up() {
        let sent = Counts { sent: 1, ..Counts::default() };
        let failed = Counts { failed: 1, ..Counts::default() };
        assert_eq!(after(&[]).await, sent);
        assert_eq!(after(&[SendError::Busy { code: 450 }, SendError::Unreachable]).await, sent);
        assert_eq!(after(&[SendError::Unreachable; 3]).await, failed);
        assert_eq!(after(&[SendError::Refused { code: 550 }]).await, failed);
    }

    /// Answers nothing.
    struct Mute;

    impl Sender for Mute {
        fn send<'a>(&'a self, _: &'a Message) -> BoxFuture<'a, Result<(), SendError>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn whoever_posts_never_waits_and_a_full_queue_drops() {
        let messenger = Messenger::new(Arc::new(Mute));
        let posted = (QUEUE + AT_ONCE + 5) as u64;
        for _ in 0..posted {
            messenger.post(message());
        }
        let counts = messenger.counts();
        assert_eq!(counts.waiting + counts.dropped, posted);
        assert!(counts.dropped >= 5, "{counts:?}");
        messenger.finish(Duration::from_millis(1)).await;
        assert_eq!(messenger.counts().sent, 0);
    }

    #[tokio::test]
    async fn a_process_without_a_sender_says_so() {
        let messenger = Messenger::nowhere();
        messenger.post(message());
        assert!(!messenger.is_there());
        assert_eq!(messenger.counts(), Counts { dropped: 1, ..Counts::default() });
    }
}
