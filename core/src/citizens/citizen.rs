//! A citizen folded from the stream, and what may become of them. Pure.

use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

use super::event::{
    self, CitizenContactChanged, CitizenDeviceAdded, CitizenDeviceRemoved, CitizenRecovered, CitizenRegistered,
    CitizenSignedIn, ContactKind, DeviceKey, Ending, Secret,
};
use crate::access::ProofKey;
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Applied, Decision, Proposal, Recorded};
use crate::kernel::{Instant, Refusal, RefusalCode, name};

/// How long a device that came later pays less. Whoever has stolen the password and the mailbox has so long to be noticed.
pub const COOLING_OFF: TimeDelta = TimeDelta::hours(24);
/// So many devices somebody may have at once.
pub const DEVICES: usize = 5;

/// A device of a citizen's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: Uuid,
    /// Its public key, a JWK.
    pub key: String,
    /// When it came.
    pub added_at: Instant,
    /// From then on it pays as much as its owner's limits allow.
    pub trusted_from: Instant,
}

/// A citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citizen {
    /// The person, as holders know them.
    pub holder: Uuid,
    /// The account that they pay from.
    pub account: Uuid,
    /// By which code their secrets were chosen last.
    pub enrolment: Uuid,
    /// What they pay with, the oldest first.
    pub devices: Vec<Device>,
    last: Recorded,
}

/// A session that begins.
#[derive(Debug, Clone, Copy)]
pub struct Begin {
    /// Its id, drawn just now.
    pub session: Uuid,
    /// On which device.
    pub device: Uuid,
}

/// The stream of what a holder is as a citizen.
pub fn stream(tenant: Uuid, holder: Uuid) -> Uuid {
    name::natural_key(tenant, "citizen", &[&holder.to_string()])
}

impl Device {
    /// The key that its signatures are checked with; `None` when what is recorded is none of ours.
    pub fn key(&self) -> Option<ProofKey> {
        ProofKey::from_jwk(&self.key).ok()
    }

    fn new(device: DeviceKey, added_at: Instant, waits: TimeDelta) -> Self {
        Self { id: device.device, key: device.key, added_at, trusted_from: added_at + waits }
    }
}

impl Citizen {
    /// Folds a stream; `None` when it is not a citizen's. What this version does not know changes nothing.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        if first.kind != event::CITIZEN_REGISTERED {
            return None;
        }
        let CitizenRegistered { holder, account, enrolment, device } = first.says()?;
        let devices = vec![Device::new(device, first.recorded_at, TimeDelta::zero())];
        let begun = Self { holder, account, enrolment, devices, last: last.clone() };
        events[1..].iter().try_fold(begun, Self::evolve)
    }

    fn evolve(mut self, recorded: &Recorded) -> Option<Self> {
        match &*recorded.kind {
            event::CITIZEN_DEVICE_ADDED => {
                let CitizenDeviceAdded { device } = recorded.says()?;
                self.devices.push(Device::new(device, recorded.recorded_at, COOLING_OFF));
            }
            event::CITIZEN_DEVICE_REMOVED => {
                let CitizenDeviceRemoved { device } = recorded.says()?;
                self.devices.retain(|own| own.id != device);
            }
            event::CITIZEN_RECOVERED => {
                let CitizenRecovered { enrolment, device } = recorded.says()?;
                self.enrolment = enrolment;
                self.devices = vec![Device::new(device, recorded.recorded_at, COOLING_OFF)];
            }
            event::CITIZEN_CONTACT_CHANGED => {
                let trusted_from = recorded.recorded_at + COOLING_OFF;
                self.devices.iter_mut().for_each(|own| own.trusted_from = own.trusted_from.max(trusted_from));
            }
            event::CITIZEN_RESET => self.devices.clear(),
            _ => {}
        }
        Some(self)
    }

    /// A device of theirs.
    pub fn device(&self, id: Uuid) -> Option<&Device> {
        self.devices.iter().find(|device| device.id == id)
    }

    /// The device of theirs that has a key.
    pub fn device_with(&self, key: &ProofKey) -> Option<&Device> {
        let thumbprint = key.thumbprint();
        self.devices.iter().find(|device| device.key().is_some_and(|own| own.thumbprint() == thumbprint))
    }

    /// One more device, by a code; and a session on it.
    pub fn add(&self, key: &ProofKey, begin: Begin) -> Decision {
        if self.devices.len() >= DEVICES {
            let detail = format!("there are {DEVICES} devices; remove one of them first");
            let current = StreamVersion { stream: self.last.stream, version: self.last.version };
            return Decision::Refuse(Refusal::new(RefusalCode::InvalidState, detail), vec![current]);
        }
        let says = CitizenDeviceAdded { device: DeviceKey { device: begin.device, key: key.jwk() } };
        propose(vec![self.next(event::CITIZEN_DEVICE_ADDED, &says), begun(self.holder, begin)])
    }

    /// A device that is theirs no more. One that is none is answered as if it had just gone.
    pub fn remove(&self, device: Uuid) -> Decision {
        if self.device(device).is_none() {
            return Decision::Already(Applied { events: vec![self.last.clone()], entries: Vec::new() });
        }
        propose(vec![self.next(event::CITIZEN_DEVICE_REMOVED, &CitizenDeviceRemoved { device })])
    }

    /// Other secrets and this device alone, by a code; and a session on it.
    pub fn recover(&self, enrolment: Uuid, key: &ProofKey, begin: Begin) -> Decision {
        let says = CitizenRecovered { enrolment, device: DeviceKey { device: begin.device, key: key.jwk() } };
        propose(vec![self.next(event::CITIZEN_RECOVERED, &says), begun(self.holder, begin)])
    }

    /// No device at all, until they recover.
    pub fn reset(&self) -> Decision {
        propose(vec![self.next(event::CITIZEN_RESET, &event::CitizenReset {})])
    }

    /// They chose another secret.
    pub fn change(&self, what: Secret) -> Decision {
        propose(vec![self.next(event::CITIZEN_SECRET_CHANGED, &event::CitizenSecretChanged { what })])
    }

    /// They are reached elsewhere from now on, and their devices pay less for a while: it may not have been them.
    pub fn reached_elsewhere(&self, contact: ContactKind, device: Uuid) -> NewEvent {
        self.next(event::CITIZEN_CONTACT_CHANGED, &CitizenContactChanged { contact, device })
    }

    /// Their PIN was wrong too often.
    pub fn lock(&self, device: Uuid) -> Decision {
        propose(vec![self.next(event::CITIZEN_PIN_LOCKED, &event::CitizenPinLocked { device })])
    }

    fn next(&self, kind: &'static str, says: &impl Serialize) -> NewEvent {
        NewEvent::fact(self.last.stream, self.last.version, kind, says)
    }
}

/// The facts of a registration, beside those of the holder and the account; and of the first session.
pub fn register(tenant: Uuid, says: &CitizenRegistered, session: Uuid) -> Vec<NewEvent> {
    let own = stream(tenant, says.holder);
    let begin = Begin { session, device: says.device.device };
    vec![NewEvent::fact(own, 0, event::CITIZEN_REGISTERED, says), begun(says.holder, begin)]
}

/// Whose a session is, as its first event says.
pub fn owner_of_session(first: &Recorded) -> Option<Uuid> {
    if first.kind != event::CITIZEN_SIGNED_IN {
        return None;
    }
    first.says::<CitizenSignedIn>().map(|says| says.holder)
}

/// A session on a device that is known.
pub fn sign_in(holder: Uuid, begin: Begin) -> Decision {
    propose(vec![begun(holder, begin)])
}

/// Decides the end of a session, of whose stream this is the last event.
pub fn end_session(last: &Recorded, holder: Uuid, because: Ending) -> Decision {
    if last.kind == event::CITIZEN_SESSION_ENDED {
        return Decision::Already(Applied { events: vec![last.clone()], entries: Vec::new() });
    }
    let says = event::CitizenSessionEnded { holder, because };
    propose(vec![NewEvent::fact(last.stream, last.version, event::CITIZEN_SESSION_ENDED, &says)])
}

/// The fact that somebody has to wait.
pub fn sign_in_refused(stream: Uuid, holder: Uuid, failures: i32, pause_seconds: i64) -> Decision {
    let says = event::CitizenSignInRefused { holder, failures, pause_seconds };
    propose(vec![NewEvent { fresh: true, ..NewEvent::fact(stream, 0, event::CITIZEN_SIGN_IN_REFUSED, &says) }])
}

fn begun(holder: Uuid, begin: Begin) -> NewEvent {
    let says = CitizenSignedIn { holder, device: begin.device };
    NewEvent { fresh: true, ..NewEvent::fact(begin.session, 0, event::CITIZEN_SIGNED_IN, &says) }
}

fn propose(events: Vec<NewEvent>) -> Decision {
    Decision::Propose(Proposal { events, ..Proposal::default() })
}
