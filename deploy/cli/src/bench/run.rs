//! One run: the ground, the ceiling if asked for, and each case after the other.

use std::time::Duration;

use super::BenchError;
use super::case::{Author, CASES, Case, Group, Way, Work};
use super::ceiling::Ceiling;
use super::ground::Ground;
use super::load::{Crowd, Measured, Timing, drive, work_off};
use super::table::{self, Line};
use crate::stack::gauge::Gauge;

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

impl Plan {
    /// The cases that were asked for and can be driven on this ground.
    pub fn cases<'a>(&'a self, ground: &'a Ground) -> impl Iterator<Item = &'static Case> + 'a {
        let is_asked = |case: &&Case| self.only.is_empty() || self.only.iter().any(|part| case.name.contains(part));
        CASES.iter().filter(is_asked).filter(|case| case.way == Way::Api || ground.nginx.is_some())
    }
}

/// Drives every case and prints its lines as they come; answers them.
pub async fn run(
    ground: &Ground,
    plan: &Plan,
    gauge: Option<&Gauge>,
    ceiling: Option<&Ceiling>,
) -> Result<Vec<Line>, BenchError> {
    let mut lines = Vec::new();
    println!("{}", table::head(gauge.is_some(), ceiling.is_some()));
    for case in plan.cases(ground) {
        for line in one(ground, plan, gauge, case).await? {
            println!("{}", table::line(&line, gauge.is_some(), ceiling));
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Drives one case.
pub async fn one(ground: &Ground, plan: &Plan, gauge: Option<&Gauge>, case: &Case) -> Result<Vec<Line>, BenchError> {
    let door = match (case.way, &ground.nginx) {
        (Way::Nginx, Some(nginx)) => nginx,
        _ => &ground.api,
    };
    let scribe = ground.scribe(door).await?;
    let Plan { accounts, timing, .. } = *plan;
    let author = Author { scribe: &scribe, tenant: ground.tenant, accounts, most: timing.most };
    let gap = plan.rate.map(|rate| Duration::from_secs(1) / rate);
    let mut crowds = Vec::new();
    for group in case.groups {
        let turns = author.turns(*group);
        if group.work == Work::Replay {
            work_off(door.clone(), turns.clone(), group.clients, "what is to be replayed").await?;
        }
        crowds.push(Crowd { turns, clients: group.clients, gap: gap.filter(|_| group.batch == 1) });
    }
    let Measured { tallies, usage } = drive(door.clone(), crowds, timing, gauge.cloned()).await?;
    let items = tallies.iter().map(|tally| tally.items).sum();
    let line = |(index, (group, tally)): (usize, (&Group, _))| Line {
        name: if index == 0 { case.name.to_owned() } else { format!("  beside it: {:?}", group.work) },
        clients: group.clients,
        batch: group.batch,
        tally,
        // The processes serve all groups at once; their time stands once.
        usage: usage.clone().filter(|_| index == 0).map(|used| (used, items)),
    };
    Ok(case.groups.iter().zip(tallies).enumerate().map(line).collect())
}
