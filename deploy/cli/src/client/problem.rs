//! What the API says when it refuses (RFC 9457), typed.

use std::fmt;

use serde::Deserialize;

/// A problem document. Members that this client does not use are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The HTTP status; a batch item's own stands beside the problem.
    #[serde(default)]
    pub status: u16,
    /// The stable code.
    #[serde(default)]
    pub code: String,
    /// The kind, in a few words.
    #[serde(default)]
    pub title: String,
    /// The facts of this case.
    #[serde(default)]
    pub detail: String,
    /// The places in the request that are at fault.
    #[serde(default)]
    pub errors: Vec<Fault>,
}

/// One place in the request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// A JSON pointer into the body.
    #[serde(default)]
    pub pointer: Option<String>,
    /// A parameter of the path or query.
    #[serde(default)]
    pub parameter: Option<String>,
    /// A header.
    #[serde(default)]
    pub header: Option<String>,
    /// What is wrong there.
    #[serde(default)]
    pub detail: String,
}

impl Problem {
    /// Reads a problem document; what is none (a proxy's page) is reported by its status.
    pub fn read(status: u16, body: &[u8]) -> Self {
        let read: Option<Self> = serde_json::from_slice(body).ok();
        let mut problem = read.unwrap_or_else(|| Self {
            status,
            code: String::new(),
            title: format!("HTTP status {status}"),
            detail: String::new(),
            errors: Vec::new(),
        });
        problem.status = status;
        problem
    }

    /// The number that follows `prefix` in the first pointer: which item of a batch is meant.
    pub fn pointed_index(&self, prefix: &str) -> Option<usize> {
        let pointers = self.errors.iter().filter_map(|fault| fault.pointer.as_deref());
        pointers
            .filter_map(|pointer| pointer.strip_prefix(prefix))
            .find_map(|rest| rest.split('/').next()?.parse().ok())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.detail.is_empty() { &self.title } else { &self.detail };
        f.write_str(what)?;
        if !self.code.is_empty() {
            write!(f, " ({})", self.code)?;
        }
        for fault in &self.errors {
            let place = [&fault.pointer, &fault.parameter, &fault.header].into_iter().flatten().next();
            if let Some(place) = place {
                write!(f, "; {place}")?;
                if !fault.detail.is_empty() && fault.detail != *what {
                    write!(f, ": {}", fault.detail)?;
                }
            }
        }
        Ok(())
    }
}

/// An error with its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
