//! Every route × every caller: what the page says is what the code decides, and what the running server does.

use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use vintem_api::routes::{Body, Entry, ROUTES};
use vintem_tests::api::{Api, Client, Read, read};
use vintem_tests::matrix::{Cell, Knocks, filled, method, page, printed, stated, title};
use vintem_tests::phone::Town;
use vintem_tests::terminal::Fleet;

#[test]
fn the_page_says_what_the_code_decides() {
    let stated = std::fs::read_to_string(page()).unwrap_or_default();
    assert!(
        stated.contains(&printed()),
        "review the change, then write the table anew: cargo dev test --test flows -- --ignored write_the_table"
    );
}

#[test]
fn the_door_lets_every_route_through_and_nothing_else() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/nginx/vintem.conf.template");
    let template = std::fs::read_to_string(template).unwrap();
    let between = |begin: &str, end: char| {
        template.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // One location names the first words of most paths; others have one of their own.
    let words = between("location ~ ^/v1/(", ')').join("|");
    let mut open: BTreeSet<String> = words.split('|').map(|word| format!("/v1/{word}")).collect();
    let beginning = |path: &str| path.split('/').take(3).collect::<Vec<_>>().join("/");
    let exact = between("location = ", ' ').into_iter().filter(|path| path.starts_with("/v1/"));
    open.extend(exact.map(|path| beginning(&path)));
    let routes = ROUTES.iter().filter(|entry| entry.path.starts_with("/v1/"));
    assert_eq!(open, routes.map(|entry| beginning(entry.path)).collect());
}

#[test]
#[ignore = "writes the table that the test above compares"]
fn write_the_table() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = text.split_once("| Route |").unwrap();
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    std::fs::write(page(), format!("{before}{}\n{after}", printed())).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_holds_on_the_running_server() {
    let api = Api::create().await;
    let mut clients: HashMap<&str, Client> = HashMap::new();
    for column in Knocks::all() {
        if let Knocks::Client(scope) = column {
            let tenant = format!("only-{}", scope.as_str().replace(':', "-"));
            clients.insert(scope.as_str(), api.another(&tenant, scope.as_str()).await);
        }
    }
    let table = stated();
    let mut asserted = 0;
    for entry in ROUTES {
        let row = &table[&title(entry)];
        for (column, cell) in Knocks::all().into_iter().zip(row) {
            let path = filled(entry.path);
            let answer = match column {
                Knocks::Nobody => read(api.client.http.request(method(entry), api.server.url(&path))).await,
                Knocks::Client(scope) => read(clients[scope.as_str()].request(method(entry), &path)).await,
                Knocks::Staff(_) | Knocks::Citizen | Knocks::Terminal => continue,
            };
            holds(&answer, *cell, column, entry);
            asserted += 1;
        }
    }
    println!("{asserted} cells asserted");
    assert_eq!(table.len(), ROUTES.len(), "a row of no route");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_citizens_holds_on_the_running_server() {
    let town = Town::create().await;
    let (_, phone) = town.citizen(1).await;
    let table = stated();
    let column = Knocks::all().iter().position(|knocks| *knocks == Knocks::Citizen).unwrap();
    for entry in ROUTES {
        let request = phone.request(method(entry), &filled(entry.path));
        let request = if entry.body == Body::Nothing { request } else { request.json(&json!({})) };
        // A stream would not end; one that begins nowhere is answered at once.
        let is_stream = entry.path.ends_with("/events");
        let request = if is_stream { request.header("Last-Event-ID", "nowhere") } else { request };
        holds(&read(request).await, table[&title(entry)][column], Knocks::Citizen, entry);
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_terminals_holds_at_the_door() {
    let fleet = Fleet::create().await;
    let (till, table) = (fleet.till("PX-1").await, stated());
    let column = Knocks::all().iter().position(|knocks| *knocks == Knocks::Terminal).unwrap();
    for entry in ROUTES {
        let request = till.request(method(entry), &filled(entry.path));
        let request = if entry.body == Body::Nothing { request } else { request.json(&json!({})) };
        let answer = read(request).await;
        // What is not for terminals is not behind their port, whatever a certificate would be granted there.
        if entry.path.starts_with("/v1/terminal/") {
            holds(&answer, table[&title(entry)][column], Knocks::Terminal, entry);
        } else {
            assert_eq!((answer.status.as_u16(), answer.code()), (404, "not-found".to_owned()), "{}", title(entry));
        }
    }
    fleet.close().await;
}

/// What the server answers to somebody who gets in depends on the request; who does not is told so, and nothing else.
fn holds(answer: &Read, cell: Cell, column: Knocks, entry: &Entry) {
    let what = format!("{} by {}: {}", title(entry), column.name(), answer.status);
    let refused = match column {
        Knocks::Nobody => (401, "unauthenticated"),
        _ => (403, "forbidden"),
    };
    if cell == Cell::No {
        assert_eq!((answer.status.as_u16(), answer.code()), (refused.0, refused.1.to_owned()), "{what}");
    } else if entry.path != "/v1/token" {
        assert!(!matches!(answer.status.as_u16(), 401 | 403), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_none_gets_in_nowhere() {
    let api = Api::create().await;
    let table = stated();
    for entry in ROUTES.iter().filter(|entry| table[&title(entry)][0] == Cell::No) {
        for token in ["nonsense", "a.b.c"] {
            let path = filled(entry.path);
            let answer = read(api.client.http.request(method(entry), api.server.url(&path)).bearer_auth(token)).await;
            assert_eq!(answer.status.as_u16(), 401, "{} {path}", entry.method);
            assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
            assert_eq!(answer.code(), "unauthenticated");
        }
    }
    api.close().await;
}
