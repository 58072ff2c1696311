//! The environment of a process, name by name. The only file that reads it; all problems are reported at once.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::kernel::{Network, Rate};

const PREFIX: &str = "VINTEM_";
/// The one name of others that we read.
pub(super) const OTLP: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What is wrong with the environment, all of it. Values are not repeated, for somebody may have
/// put a secret where none belongs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment does not configure this process: {}", .0.join("; "))]
pub struct SettingsError(pub(super) Vec<String>);

/// The variables not yet understood, and the problems so far.
pub(super) struct Environment {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) problems: Vec<String>,
}

impl Environment {
    pub(super) fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().unwrap_or_default())));
        Self::of(variables)
    }

    pub(super) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX) || name == OTLP).collect();
        Self { variables, problems: Vec::new() }
    }

    /// An empty variable counts as one that is not set, as in most shells' habits.
    pub(super) fn optional(&mut self, name: &str) -> Option<String> {
        self.variables.remove(name).filter(|value| !value.is_empty())
    }

    /// A port, or another where nothing is set.
    pub(super) fn port_or(&mut self, name: &str, otherwise: Option<u16>) -> Option<u16> {
        let Some(text) = self.optional(name) else { return otherwise };
        let port = text.parse().ok();
        if port.is_none() {
            self.problems.push(format!("{name} is not a port number"));
        }
        port
    }

    /// Networks separated by commas; none where nothing is set.
    pub(super) fn networks(&mut self, name: &str) -> Option<Vec<Network>> {
        let text = self.optional(name).unwrap_or_default();
        let networks: Result<_, _> = text.split(',').filter(|part| !part.is_empty()).map(str::parse).collect();
        if networks.is_err() {
            self.problems.push(format!("{name} is not a list of networks such as 127.0.0.0/8,::1/128"));
        }
        networks.ok()
    }

    /// A rate, or another where nothing is set.
    pub(super) fn rate_or(&mut self, name: &str, otherwise: Rate) -> Option<Rate> {
        let Some(text) = self.optional(name) else { return Some(otherwise) };
        let rate = text.parse().ok();
        if rate.is_none() {
            self.problems
                .push(format!("{name} is not a rate such as 3000/10: so many at once, and again over so many seconds"));
        }
        rate
    }

    pub(super) fn required<T: FromStr>(&mut self, name: &str, form: &str) -> Option<T> {
        let Some(value) = self.optional(name) else {
            self.problems.push(format!("{name} is missing ({form})"));
            return None;
        };
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.problems.push(format!("{name} is not {form}"));
        }
        parsed
    }

    pub(super) fn required_where(&mut self, name: &str, form: &str, holds: impl Fn(&str) -> bool) -> Option<String> {
        let value: String = self.required(name, form)?;
        if !holds(&value) {
            self.problems.push(format!("{name} is not {form}"));
            return None;
        }
        Some(value)
    }

    pub(super) fn finish<T>(mut self, settings: Option<T>) -> Result<T, SettingsError> {
        self.problems.extend(self.variables.into_keys().map(|name| format!("{name} is not a setting of this process")));
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(SettingsError(self.problems)),
        }
    }
}
