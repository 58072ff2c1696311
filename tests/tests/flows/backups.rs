//! Backups as an operator takes and restores them: what of an erased person is still in one.

use crate::holders::{id, path, tenant_of};
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use uuid::Uuid;
use vintem_cli::stack::database::keys_of;
use vintem_core::event_store::{fresh, read};
use vintem_core::holders::Holder;
use vintem_tests::factory::is_long;
use vintem_tests::people::{Registry, cpf, register_all};
use vintem_tests::store::Store;
use vintem_tests::vault::{Secrets, lease_times};

const CANARY: &str = "Zuleica Canário da Silva";

/// The files below a folder in which one of these words stands, as bytes.
fn files_with(words: &[&str], folder: &Path) -> String {
    let words = words.iter().flat_map(|word| ["-e", word]);
    let found = Command::new("grep").args(["-r", "-l", "-a", "-F"]).args(words).arg(folder).output().unwrap();
    // 1 is that there are none; 2, that it could not look.
    assert!(found.status.code() < Some(2), "{found:?}");
    String::from_utf8(found.stdout).unwrap()
}

/// Everybody whom a copy of the ledger knows of.
async fn holders(store: &Store, people: &[Uuid]) -> Vec<Holder> {
    let mut session = store.session("vintem_auditor").await;
    let mut holders = Vec::new();
    for some in people.chunks(1_000) {
        let events = read::streams(&mut session, 0, some).await.unwrap();
        holders.extend(events.chunk_by(|one, next| one.stream == next.stream).map(|own| Holder::fold(own).unwrap()));
    }
    holders
}

/// The bar of the issue: one of 10,000 people is erased, with a base backup from before.
#[tokio::test(flavor = "multi_thread")]
async fn a_base_backup_from_before_an_erasure_holds_nothing_that_can_be_read_of_who_was_erased() {
    let registry = Registry::over(Secrets::on_private_cluster(lease_times()).await).await;
    let many: u32 = if is_long() { 10_000 } else { 200 };
    registry.client.open("BRL", &["bank", "ana"]).await;
    registry.client.moves("bank", "ana", "12.50").await.expect(201);
    let mut people = register_all(&registry.client, 1..many).await;
    let chosen = registry.register(CANARY, &cpf(many)).await.expect(201);
    people.push(chosen.clone());
    let (tenant, store) = (tenant_of(&registry, &chosen).await, &registry.secrets.store);

    let name = fresh::new_id().simple().to_string();
    let backup = registry.secrets.stack.restored_cluster(&format!("t{}", &name[22..]), &store.cluster).await.unwrap();
    let before = store.verify().await;
    registry.client.post(&format!("{}/erasure", path(&chosen)), &json!({})).await.expect(200);
    assert_eq!(registry.client.get(&path(&chosen)).await.expect(200)["status"], "erased");

    backup.start().await.unwrap();
    // A backup of the server on which only the ledger is has never had it.
    backup.drop_database(&keys_of(&store.name)).await.unwrap();
    let restored = Store { cluster: backup, name: store.name.clone() };
    let verified = restored.verify().await;
    assert!(verified.findings.is_empty(), "{:#?}", verified.findings);
    assert_eq!((verified.events, restored.posted("ana").await), (before.events, 1_250));

    // Whoever has the copy, all of Vault, and the keys that there are reads everybody but one.
    let ids: Vec<Uuid> = people.iter().map(id).collect();
    let (copied, elsewhere) = (holders(&restored, &ids).await, registry.another_process());
    let mut keys = HashMap::new();
    for some in ids.chunks(500) {
        keys.extend(elsewhere.find(tenant, some).await.unwrap());
    }
    let [theirs, others]: [Vec<&Holder>; 2] =
        [true, false].map(|is_theirs| copied.iter().filter(|holder| (holder.id == id(&chosen)) == is_theirs).collect());
    assert!(theirs[0].erased.is_none(), "this copy knows of no erasure");
    assert!(!keys.contains_key(&theirs[0].id));
    assert_eq!(others.len(), many as usize - 1);
    for holder in &others {
        assert!(holder.open(tenant, &keys[&holder.id]).unwrap().name.starts_with("Person "));
        assert!(theirs[0].open(tenant, &keys[&holder.id]).is_err(), "nobody else's key opens what is theirs");
    }
    let plain = [CANARY, &cpf(many), &format!("{}@canario.example", cpf(many))];
    for folder in [&restored.cluster.folder, &store.cluster.folder] {
        assert_eq!(files_with(&plain, folder), "");
        assert_ne!(files_with(&["holder.registered"], folder), "", "what is in the files can be found in this way");
    }
    restored.cluster.remove().unwrap();
    registry.close_private().await;
}
