//! `vintem verify` and `vintem recover` as processes, with the rights of their roles and no more.

use crate::system::System;
use sqlx::Executor as _;
use std::process::Output;

fn told(output: &Output, code: i32) -> String {
    let (told, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{told}{complaint}");
    told.into_owned()
}

#[tokio::test]
async fn an_auditor_verifies_and_an_operator_recovers() {
    let system = System::create("verify").await;
    let mut superuser = system.stack.cluster().superuser(&system.database).await.unwrap();
    told(&system.vintem("operator", &["tenant", "create", "--name", "t", "--time-zone", "UTC"]).await, 0);
    let whole = told(&system.vintem("auditor", &["verify"]).await, 0);
    assert!(whole.contains("shard 0 is whole: 1 batches, 1 events") && whole.contains("batch 1 of epoch 1"), "{whole}");

    superuser.execute("INSERT INTO halt VALUES (0, 'the disk was restored', now())").await.unwrap();
    let recovered = told(&system.vintem("operator", &["recover", "--shard", "0", "--reason", "drill"]).await, 0);
    assert!(
        recovered.contains("goes on in epoch 2")
            && recovered.contains("the disk was restored")
            && recovered.contains("above position 1"),
        "{recovered}"
    );
    told(&system.vintem("operator", &["tenant", "create", "--name", "u", "--time-zone", "UTC"]).await, 0);
    told(&system.vintem("auditor", &["verify", "--shard", "0"]).await, 0);

    superuser
        .execute("ALTER TABLE event DISABLE TRIGGER ALL; UPDATE event SET actor = 'nobody' WHERE position = 2")
        .await
        .unwrap();
    let broken = told(&system.vintem("auditor", &["verify"]).await, 1);
    for line in [
        "shard 0: trigger event_rows is not ENABLE ALWAYS",
        "shard 0: batch 3 does not carry the tip of its rows",
        "shard 0 IS BROKEN",
    ] {
        assert!(broken.contains(line), "{broken}");
    }
    system.remove().await;
}
