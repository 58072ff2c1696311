//! Units and single grants over HTTP: whom a grant is about that ends at its holder, a unit, what is below it, or one object.

use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vintem_core::access::Role;
use vintem_core::access::staff::Position;
use vintem_tests::staff::{Browser, Office, TENANT};

const UNITS: &str = "/v1/admin/units";
const USERS: &str = "/v1/admin/users";

async fn unit(admin: &Browser, name: &str, parent: Option<&str>) -> String {
    let made = admin.post(UNITS, &json!({"name": name, "parent": parent})).await.expect(201);
    assert_eq!((made["name"].as_str(), made["parent"].as_str()), (Some(name), parent));
    made["id"].as_str().unwrap().to_owned()
}

/// A member of a unit, at a desk.
async fn seated(office: &Office, login: &str, roles: &[Role], grants: &[String], unit: Option<&str>) -> Browser {
    let grants = grants.iter().map(|grant| grant.parse().unwrap()).collect();
    let unit = unit.map(|unit| unit.parse().unwrap());
    let ticket = office.invite_as(TENANT, login, Position { roles: roles.to_vec(), grants, unit }).await;
    office.join(login, &ticket).await.sign_in().await
}

fn id<'a>(browser: &'a Browser, member: &str) -> &'a str {
    browser.opened[member].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_a_tree_that_administrators_grow() {
    let office = Office::create().await;
    let admin = office.member("ada", &[Role::IamAdmin]).await.sign_in().await;
    let town = unit(&admin, "Town", None).await;
    let market = unit(&admin, "Market", Some(&town)).await;
    let stall = unit(&admin, "Stall", Some(&market)).await;
    let body = json!({"name": "Harbour"});
    let harbour = admin.send_as("k", Method::POST, UNITS, &body).await.expect(201);
    let replay = admin.send_as("k", Method::POST, UNITS, &body).await;
    assert_eq!(replay.headers["idempotency-replayed"], "true");
    assert_eq!(replay.expect(201), harbour);

    let of = |id: &str| format!("{UNITS}/{id}");
    for (body, status, code, pointer) in [
        (json!({"name": "Town"}), 409, "name-taken", "/name"),
        (json!({"parent": stall}), 409, "invalid-state", "/parent"),
        (json!({"parent": market}), 409, "invalid-state", "/parent"),
        (json!({"parent": "01983d6c-8a00-7000-8000-0000000000ff"}), 422, "validation-failed", "/parent"),
        (json!({"name": ""}), 422, "validation-failed", "/name"),
        (json!({"name": "x", "parent": null}), 422, "validation-failed", ""),
        (json!({}), 422, "validation-failed", ""),
    ] {
        let refused = admin.send(Method::PATCH, &of(&market), &body).await.expect(status);
        assert_eq!(
            (refused["code"].as_str(), &refused["errors"][0]["pointer"]),
            (Some(code), &json!(pointer)),
            "{body}"
        );
    }
    assert_eq!(admin.send(Method::PATCH, &of(&town), &json!({"name": "Vila"})).await.expect(200)["name"], "Vila");
    let moved = admin.send(Method::PATCH, &of(&market), &json!({"parent": null})).await.expect(200);
    assert!(moved.get("parent").is_none() && moved["name"] == "Market");
    // Of two moves that would make a ring together, one finds that the other has happened.
    let (harbour, ring) = (harbour["id"].as_str().unwrap(), |parent: &str| json!({"parent": parent}));
    let (path, below) = (of(harbour), ring(&town));
    let (other_path, other_below) = (of(&town), ring(harbour));
    let (one, other) =
        tokio::join!(admin.send(Method::PATCH, &path, &below), admin.send(Method::PATCH, &other_path, &other_below),);
    let statuses = BTreeSet::from([one.status.as_u16(), other.status.as_u16()]);
    assert_eq!(statuses, BTreeSet::from([200, 409]));
    let listed = admin.get(UNITS).await.expect(200);
    let names: Vec<&str> =
        listed["units"].as_array().unwrap().iter().map(|unit| unit["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Harbour", "Market", "Stall", "Vila"]);

    // One unit may be renamed by whoever has it alone, and moved by nobody like that.
    let keeper = seated(&office, "kim", &[], &[format!("edit:unit:{stall}")], None).await;
    keeper.send(Method::PATCH, &of(&stall), &json!({"name": "Stand"})).await.expect(200);
    keeper.send(Method::PATCH, &of(&stall), &json!({"parent": town})).await.expect(403);
    keeper.send(Method::PATCH, &of(&market), &json!({"name": "Fair"})).await.expect(404);
    office.close().await;
}

/// Whom a desk in Town sees and changes, by the reach of its grants.
#[tokio::test(flavor = "multi_thread")]
async fn every_reach_ends_where_it_says() {
    let office = Office::create().await;
    let admin = office.member("ada", &[Role::IamAdmin]).await.sign_in().await;
    let town = unit(&admin, "Town", None).await;
    let market = unit(&admin, "Market", Some(&town)).await;
    let harbour = unit(&admin, "Harbour", None).await;
    let mut others = Vec::new();
    for (login, unit) in
        [("peer", Some(&town)), ("below", Some(&market)), ("elsewhere", Some(&harbour)), ("nowhere", None)]
    {
        let desk = seated(&office, login, &[Role::Support], &[], unit.map(String::as_str)).await;
        others.push((login, desk));
    }
    let peer = id(&others[0].1, "member").to_owned();
    let mut asserted = 0;
    for (number, (reach, covered)) in [
        (":own".to_owned(), vec!["me"]),
        (":unit".to_owned(), vec!["me", "peer"]),
        (":below".to_owned(), vec!["me", "peer", "below"]),
        (format!(":{peer}"), vec!["peer"]),
        (String::new(), vec!["me", "peer", "below", "elsewhere", "nowhere"]),
    ]
    .into_iter()
    .enumerate()
    {
        let login = format!("desk-{number}");
        let grants =
            ["view:user", "edit:user", "view:session", "delete:session"].map(|grant| format!("{grant}{reach}"));
        let me = seated(&office, &login, &[Role::Support], &grants, Some(&town)).await;
        let everybody = [("me", &me)].into_iter().chain(others.iter().map(|(login, desk)| (*login, desk)));
        for (who, desk) in everybody {
            let is_covered = covered.contains(&who);
            let path = format!("{USERS}/{}", id(desk, "member"));
            let what = format!("{who} by {reach:?}");
            assert_eq!(me.get(&path).await.status, if is_covered { 200 } else { 404 }, "{what}");
            let roles = json!({"roles": ["support"]});
            let changed = me.send(Method::PATCH, &path, &roles).await.status.as_u16();
            let expected = match (is_covered, who) {
                (false, _) => 404,
                // Nobody changes themselves, whatever they were granted.
                (true, "me") => 409,
                (true, _) => 200,
            };
            assert_eq!(changed, expected, "{what}");
            asserted += 2;
        }
        asserted += lists(&me, &login, &covered, reach.len() > 10).await;
        // Sessions of others end as far as the grant reaches. Of one id, it is a session's.
        let is_one = reach.len() > 10;
        for (who, desk) in &others {
            let path = format!("/v1/admin/sessions/{}", id(desk, "id"));
            let expected = if covered.contains(who) && !is_one { 200 } else { 404 };
            assert_eq!(me.send(Method::DELETE, &path, &json!({})).await.status, expected, "{who} by {reach:?}");
            asserted += 1;
        }
    }
    println!("{asserted} cells asserted");
    office.close().await;
}

/// What lists show; a grant on one object opens none. Answers how many were looked at.
async fn lists(me: &Browser, login: &str, covered: &[&str], is_one: bool) -> usize {
    let status = if is_one { 403 } else { 200 };
    let (users, sessions) = (me.get(USERS).await.expect(status), me.get("/v1/admin/sessions").await.expect(status));
    if is_one {
        return 2;
    }
    let logins = |list: &Value| {
        let all = list.as_array().unwrap().iter().map(|one| one["login"].as_str().unwrap().to_owned());
        all.filter(|one| one != "ada" && (one == login || !one.starts_with("desk-"))).collect::<BTreeSet<_>>()
    };
    let expected: BTreeSet<String> =
        covered.iter().map(|who| if *who == "me" { login.to_owned() } else { (*who).to_owned() }).collect();
    assert_eq!(logins(&users["users"]), expected, "{login}");
    // Those that were ended before are gone; nobody else's is shown.
    assert!(logins(&sessions["sessions"]).is_subset(&expected) && logins(&sessions["sessions"]).contains(login));
    2
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_more_than_they_hold() {
    let office = Office::create().await;
    let admin = office.member("ada", &[Role::IamAdmin]).await.sign_in().await;
    let town = unit(&admin, "Town", None).await;
    let harbour = unit(&admin, "Harbour", None).await;
    let ids = office.client.open("BRL", &["bank", "till"]).await;
    let held = [format!("view:account:{}", ids[0]), "create:user:below".into(), "edit:user:below".into()];
    let chief = seated(&office, "chief", &[Role::Support], &held, Some(&town)).await;
    let someone = |login: &str, roles: Value, grants: Value, unit: &str| json!({"login": login, "roles": roles, "grants": grants, "unit": unit});

    // A narrow grant opens one account and no list, and a role's wide one beside it still counts.
    let grants = json!([format!("view:account:{}", ids[0]), "edit:user:unit"]);
    let invited = chief.post(USERS, &someone("bia", json!([]), grants.clone(), &town)).await.expect(201);
    assert_eq!((&invited["grants"], &invited["unit"]), (&grants, &json!(town)));
    let bia = office.join("bia", invited["invitation_token"].as_str().unwrap()).await.sign_in().await;
    bia.get(&format!("/v1/accounts/{}", ids[0])).await.expect(200);
    bia.get(&format!("/v1/accounts/{}/balance", ids[0])).await.expect(200);
    assert_eq!(bia.get(&format!("/v1/accounts/{}", ids[1])).await.expect(404)["code"], "not-found");
    bia.get("/v1/accounts").await.expect(403);
    let seen = admin.get(&format!("{USERS}/{}", id(&bia, "member"))).await.expect(200);
    assert_eq!((&seen["grants"], &seen["unit"], &seen["roles"]), (&grants, &json!(town), &json!([])));

    for (body, pointer) in [
        (someone("cleo", json!(["auditor"]), json!([]), &town), "/roles/0"),
        (someone("cleo", json!(["iam-admin"]), json!([]), &town), "/roles/0"),
        (someone("cleo", json!(["support"]), json!(["edit:user"]), &town), "/grants/0"),
        (
            someone("cleo", json!([]), json!(["edit:user:unit", format!("view:account:{}", uuid::Uuid::nil())]), &town),
            "",
        ),
        (someone("cleo", json!([]), json!(["delete:session:unit"]), &town), "/grants/0"),
        (someone("cleo", json!(["support"]), json!([]), &harbour), "/unit"),
        (json!({"login": "cleo", "roles": ["support"]}), "/unit"),
    ] {
        let refused = chief.post(USERS, &body).await;
        if pointer.is_empty() {
            // The role sees all accounts, and so may each of them be given.
            refused.expect(201);
            continue;
        }
        let refused = refused.expect(403);
        assert_eq!(
            (refused["code"].as_str(), refused["errors"][0]["pointer"].as_str()),
            (Some("forbidden"), Some(pointer)),
            "{body}"
        );
    }
    for (body, status, pointer) in [
        (json!({"login": "dora", "roles": ["support"], "grants": ["view:everything"]}), 422, "/grants/0"),
        (json!({"login": "dora", "roles": ["support"], "grants": ["view:user", "view:user"]}), 422, "/grants/1"),
        (json!({"login": "dora", "roles": [], "grants": []}), 422, "/roles"),
        (json!({"login": "dora", "roles": ["support"], "unit": uuid::Uuid::nil()}), 422, "/unit"),
        (json!({"login": "dora", "roles": ["operations"], "grants": ["edit:user:unit"]}), 422, "/roles"),
    ] {
        assert_eq!(admin.post(USERS, &body).await.expect(status)["errors"][0]["pointer"], pointer, "{body}");
    }

    // Who holds more is not decided about: neither reset, whose ticket would make one them, nor changed.
    let auditor = seated(&office, "zoe", &[Role::Auditor], &[], Some(&town)).await;
    let zoe = format!("{USERS}/{}", id(&auditor, "member"));
    assert_eq!(chief.post(&format!("{zoe}/reset"), &json!({})).await.expect(403)["code"], "forbidden");
    chief.send(Method::PATCH, &zoe, &json!({"status": "suspended"})).await.expect(403);
    let path = format!("{USERS}/{}", id(&bia, "member"));
    chief.send(Method::PATCH, &path, &json!({"unit": harbour})).await.expect(403);

    // Grants and unit count from the next request on.
    let narrower = json!({"grants": ["view:user:unit"]});
    assert_eq!(chief.send(Method::PATCH, &path, &narrower).await.expect(403)["errors"][0]["pointer"], "/grants/0");
    let changed = admin.send(Method::PATCH, &path, &narrower).await.expect(200);
    assert_eq!(changed["grants"], json!(["view:user:unit"]));
    bia.get(&format!("/v1/accounts/{}", ids[0])).await.expect(403);
    assert_eq!(bia.get(USERS).await.expect(200)["users"].as_array().unwrap().len(), 4);
    assert_eq!(admin.send(Method::PATCH, &path, &json!({"unit": null})).await.expect(200)["unit"], Value::Null);
    assert!(bia.get(USERS).await.expect(200)["users"].as_array().unwrap().is_empty());
    office.close().await;
}
