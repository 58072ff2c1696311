//! Who works at a terminal: one shift after the other, each of an operator. Pure.

use super::event::{self, ShiftClosed, ShiftOpened};
use crate::event_store::Recorded;
use crate::kernel::{Refusal, RefusalCode};

/// The shifts of a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shifts {
    /// The number of the last one.
    pub last: i32,
    /// Who works now, in the shift of that number.
    pub operator: Option<String>,
}

impl Shifts {
    /// What an event leaves; one that is about something else leaves all.
    pub(super) fn evolve(&self, recorded: &Recorded) -> Option<Self> {
        Some(match &*recorded.kind {
            event::SHIFT_OPENED => {
                let ShiftOpened { shift, operator } = recorded.says()?;
                Self { last: shift, operator: Some(operator) }
            }
            event::SHIFT_CLOSED => self.ended(),
            _ => self.clone(),
        })
    }

    /// Nobody works.
    pub(super) fn ended(&self) -> Self {
        Self { last: self.last, operator: None }
    }

    /// The next one.
    pub(super) fn open(&self, operator: &str) -> Result<ShiftOpened, String> {
        match &self.operator {
            Some(_) => Err(format!("shift {} is open; close it first", self.last)),
            None => Ok(ShiftOpened { shift: self.last + 1, operator: operator.to_owned() }),
        }
    }

    /// The end of the one that is open.
    pub(super) fn close(&self, shift: i32) -> Result<ShiftClosed, Refusal> {
        match &self.operator {
            Some(_) if shift == self.last => Ok(ShiftClosed { shift }),
            _ if (1..=self.last).contains(&shift) => {
                Err(Refusal::new(RefusalCode::InvalidState, format!("shift {shift} has ended")))
            }
            _ => Err(Refusal::new(RefusalCode::NotFound, "there is no such shift")),
        }
    }
}

/// Whether a text may name an operator: a code such as `A07`, and nobody's name.
pub fn check_operator(text: &str) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if (1..=16).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    let detail = "an operator is a code of 1 to 16 capital letters and digits";
    Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/operator"))
}
