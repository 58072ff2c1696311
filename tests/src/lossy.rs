//! A wire that loses one answer: the request has arrived and was worked off, and whoever sent it hears nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A handshake is smaller than that, and a request with a token and a proof is larger.
const REQUEST_BYTES: usize = 1_000;

/// A wire to a port of this machine.
pub struct LossyWire {
    /// Where it begins.
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_armed: AtomicBool,
    lost: AtomicUsize,
}

impl LossyWire {
    /// Lays the wire; it is one that loses nothing yet.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, state) = (listener.local_addr().unwrap().port(), Arc::<State>::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let Ok(outer) = TcpStream::connect(("127.0.0.1", target)).await else { return };
                    carry(inner, outer, &state).await;
                });
            }
        });
        Self { port, state }
    }

    /// Loses the answer to the next request, once.
    pub fn lose_one(&self) {
        self.state.is_armed.store(true, Ordering::SeqCst);
    }

    /// How many answers were lost.
    pub fn lost(&self) -> usize {
        self.state.lost.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways until an end hangs up, or an answer is lost and the connection with it.
async fn carry(mut inner: TcpStream, mut outer: TcpStream, state: &State) {
    let (mut question, mut answer) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    // What was asked since the wire was told to lose an answer: streams that only listen have asked nothing.
    let mut asked = 0;
    loop {
        tokio::select! {
            read = inner.read(&mut question) => {
                let Ok(length @ 1..) = read else { return };
                if state.is_armed.load(Ordering::SeqCst) {
                    asked += length;
                }
                if outer.write_all(&question[..length]).await.is_err() {
                    return;
                }
            }
            read = outer.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if asked > REQUEST_BYTES && state.is_armed.swap(false, Ordering::SeqCst) {
                    state.lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                if inner.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
