//! Terminals come in as real ones do: inventory, a code, a key of their own, a certificate of the authority.

use serde_json::{Value, json};
use vintem_core::event_store::fresh::new_id;
use vintem_core::secrets::pki::Draft;

use super::SimulationError;
use super::founding::{Founded, made};
use crate::bench::citizens::Town;
use crate::client::Client;
use crate::client::line::Line;
use crate::client::terminal::connect;
use crate::progress::Progress;

/// So many devices of a service; answers each one's way of connecting.
pub async fn enrol(
    town: &Town,
    client: &Client,
    founded: &Founded,
    count: u32,
    root: &[u8],
) -> Result<Vec<Line>, SimulationError> {
    let mut progress = Progress::start("terminals", u64::from(count));
    let mut devices = Vec::new();
    for number in 0..count {
        devices.push(device(town, client, founded, number, root).await?);
        progress.add(1);
    }
    progress.finish();
    Ok(devices)
}

async fn device(
    town: &Town,
    client: &Client,
    founded: &Founded,
    number: u32,
    root: &[u8],
) -> Result<Line, SimulationError> {
    let serial = format!("SIM-{}", new_id().simple());
    let body = json!({"serial": serial, "model": "Simulated", "service_id": founded.service});
    let terminal = made(client, "/v1/admin/terminals", &body).await?;
    let path = format!("/v1/admin/terminals/{}/activation-codes", text(&terminal, "id")?);
    let issued = made(client, &path, &json!({})).await?;
    let draft = Draft::of_device()?;
    let arrival = json!({
        "tenant": town.name, "code": text(&issued, "activation_code")?, "serial": serial, "csr": draft.request(),
    });
    let enrolled = town.tell("/v1/terminal/enrolments", &arrival, number).await?;
    let certificate = draft.with_chain(text(&enrolled, "certificate_chain")?.to_owned())?;
    connect(&certificate, root).map(Line::by).map_err(|error| SimulationError::Unexpected(error.to_string()))
}

fn text<'a>(answer: &'a Value, member: &str) -> Result<&'a str, SimulationError> {
    answer[member].as_str().ok_or_else(|| SimulationError::Unexpected(answer.to_string()))
}
