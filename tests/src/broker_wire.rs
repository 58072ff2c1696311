//! A wire to the broker that loses what is said, or is cut.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A wire to the broker.
pub struct BrokerWire {
    /// The port to connect to.
    pub port: u16,
    state: watch::Sender<WireState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WireState {
    Whole,
    /// What the broker says is lost; what is said to it arrives.
    Deaf,
    /// What is said to the broker is lost; what it says arrives.
    Mute,
    Cut,
}

impl BrokerWire {
    /// Lays the wire.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = watch::Sender::new(WireState::Whole);
        let watched = state.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let watched = watched.clone();
                tokio::spawn(carry(client, target, watched));
            }
        });
        Self { port, state }
    }

    /// From now on nobody hears the broker, so messages arrive there and their confirms do not come back.
    pub fn deafen(&self) {
        self.state.send_replace(WireState::Deaf);
    }

    /// From now on the broker hears nobody, so messages arrive here and their acknowledgements do not come back.
    pub fn mute(&self) {
        self.state.send_replace(WireState::Mute);
    }

    /// Cuts every connection, and mends the wire for new ones.
    pub fn cut_and_mend(&self) {
        self.state.send_replace(WireState::Cut);
        // Those who watch see the cut first: a watch keeps the order for who waits, so it is left a moment.
        let state = self.state.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            state.send_replace(WireState::Whole);
        });
    }
}

async fn carry(client: TcpStream, target: u16, mut watched: watch::Receiver<WireState>) {
    let Ok(broker) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = broker.into_split();
    let (hearing, saying) = (watched.clone(), watched.clone());
    let down = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from_broker.read(&mut buffer).await {
            if *hearing.borrow() != WireState::Deaf && to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    let up = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            if *saying.borrow() != WireState::Mute && to_broker.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = down => {}
        () = up => {}
        _ = watched.wait_for(|state| *state == WireState::Cut) => {}
    }
}
