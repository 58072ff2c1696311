//! One run: the ground, the ceiling if asked for, and each case after the other.

use std::time::Duration;

use super::BenchError;
use super::case::{Author, CASES, Case, Group, Way, Work};
use super::ceiling::Ceiling;
use super::ground::Ground;
use super::load::{Crowd, Measured, Timing, drive, work_off};
use super::table::{self, Line};
use super::tally::Tally;
use super::wire::Door;
use crate::stack::Stack;
use crate::stack::gauge::{Gauge, Usage};
use crate::stack::twin::Twin;

/// The name of a case's second line: the transfers that the first group meets.
const BESIDE: &str = "  and the transfers";

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Over how many accounts.
    pub accounts: u32,
    /// Bounds of each case.
    pub timing: Timing,
    /// Single requests a second in all; `None` for as many as are answered.
    pub rate: Option<u32>,
    /// Parts of names; a case with none of them is left out. Empty is all.
    pub only: Vec<String>,
}

/// Where the cases take place.
pub struct Stage {
    /// The tenant of most of them.
    pub ground: Ground,
    second: Option<Second>,
}

/// What the cases with two processes or two shards need.
struct Second {
    door: Door,
    /// The tenant in the second shard.
    other: Ground,
    /// Runs as long as it is needed.
    _twin: Twin,
}

impl Stage {
    /// A ledger of which only the address is known.
    pub fn of(ground: Ground) -> Self {
        Self { ground, second: None }
    }

    /// The development stack, with a second process if a case that was asked for needs it.
    pub async fn of_stack(stack: &Stack, plan: &Plan) -> Result<Self, BenchError> {
        let ground = Ground::of_stack(stack).await?;
        if !plan.asked().any(|case| matches!(case.way, Way::Processes | Way::Shards)) {
            return Ok(Self::of(ground));
        }
        let twin = Twin::start(stack).await?;
        let other = Ground::of_twin(stack, &twin).await?;
        Ok(Self { ground, second: Some(Second { door: other.api.clone(), other, _twin: twin }) })
    }

    /// Opens the accounts that are missing.
    pub async fn prepare(&self, accounts: u32) -> Result<(), BenchError> {
        self.ground.prepare(accounts, false).await?;
        match &self.second {
            Some(second) => second.other.prepare(accounts, false).await,
            None => Ok(()),
        }
    }

    /// Whose accounts the n-th group of a case uses, and through which door; `None` where there is no such way.
    fn seat(&self, way: Way, group: usize) -> Option<(&Ground, &Door)> {
        let second = self.second.as_ref();
        match (way, group) {
            (Way::Api, _) | (Way::Processes, 0) => Some((&self.ground, &self.ground.api)),
            (Way::Nginx, _) => Some((&self.ground, self.ground.nginx.as_ref()?)),
            (Way::Processes, _) | (Way::Shards, 0) => Some((&self.ground, &second?.door)),
            (Way::Shards, _) => second.map(|second| (&second.other, &second.door)),
        }
    }
}

impl Plan {
    fn asked(&self) -> impl Iterator<Item = &'static Case> {
        let is_asked = |case: &&Case| self.only.is_empty() || self.only.iter().any(|part| case.name.contains(part));
        CASES.iter().filter(is_asked)
    }
}

/// Drives every case that was asked for and that the stage allows, and prints its lines as they come; answers them.
pub async fn run(
    stage: &Stage,
    plan: &Plan,
    gauge: Option<&Gauge>,
    ceiling: Option<&Ceiling>,
) -> Result<Vec<Line>, BenchError> {
    let mut lines = Vec::new();
    println!("{}", table::head(gauge.is_some(), ceiling.is_some()));
    for case in plan.asked() {
        for line in one(stage, plan, gauge, case).await? {
            println!("{}", table::line(&line, gauge.is_some(), ceiling));
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Drives one case.
pub async fn one(stage: &Stage, plan: &Plan, gauge: Option<&Gauge>, case: &Case) -> Result<Vec<Line>, BenchError> {
    let Plan { accounts, timing, .. } = *plan;
    let gap = plan.rate.map(|rate| Duration::from_secs(1) / rate);
    let mut crowds = Vec::new();
    for (index, group) in case.groups.iter().enumerate() {
        let Some((ground, door)) = stage.seat(case.way, index) else { return Ok(Vec::new()) };
        let scribe = ground.scribe(door).await?;
        let author = Author { scribe: &scribe, tenant: ground.tenant, accounts, most: timing.most };
        let turns = author.turns(*group);
        if group.work == Work::Replay {
            work_off(door.clone(), turns.clone(), group.clients, "what is to be replayed").await?;
        }
        let gap = gap.filter(|_| group.batch == 1);
        crowds.push(Crowd { door: door.clone(), turns, clients: group.clients, gap });
    }
    let Measured { tallies, usage } = drive(crowds, timing, gauge.cloned()).await?;
    Ok(lines(case, tallies, usage))
}

/// A line per group, or one for groups that are the same thing in two places.
fn lines(case: &Case, tallies: Vec<Tally>, usage: Option<Usage>) -> Vec<Line> {
    let items = tallies.iter().map(|tally| tally.items).sum();
    let line = |(group, tally): (&Group, Tally)| Line {
        name: BESIDE.to_owned(),
        clients: group.clients,
        batch: group.batch,
        shards: if case.way == Way::Shards { 2 } else { 1 },
        tally,
        usage: None,
    };
    let mut lines: Vec<Line> = case.groups.iter().zip(tallies).map(line).collect();
    if matches!(case.way, Way::Processes | Way::Shards) {
        for other in lines.split_off(1) {
            lines[0].clients += other.clients;
            lines[0].tally.join(other.tally);
        }
    }
    if let Some(first) = lines.first_mut() {
        case.name.clone_into(&mut first.name);
        // The processes serve all groups at once; their time stands once.
        first.usage = usage.map(|used| (used, items));
    }
    lines
}
