//! The policies of `vault-policies/`, as they are or with a test's prefix.
//!
//! The files are plain HCL that `vault policy write` takes in production. A test has mounts and roles of its own,
//! whose names begin with its prefix, so the paths of the policies move along.

/// The policies of the processes that log in by AppRole, by name: first those that run for ever, then commands.
pub const APP_ROLES: [(&str, &str); 14] = [
    ("api", include_str!("../../../../vault-policies/api.hcl")),
    ("worker", include_str!("../../../../vault-policies/worker.hcl")),
    ("relay", include_str!("../../../../vault-policies/relay.hcl")),
    ("projector", include_str!("../../../../vault-policies/projector.hcl")),
    ("integrators", include_str!("../../../../vault-policies/integrators.hcl")),
    ("clocks", include_str!("../../../../vault-policies/clocks.hcl")),
    ("webhooks", include_str!("../../../../vault-policies/webhooks.hcl")),
    ("certifier", include_str!("../../../../vault-policies/certifier.hcl")),
    ("keyholder", include_str!("../../../../vault-policies/keyholder.hcl")),
    ("migrator", include_str!("../../../../vault-policies/migrator.hcl")),
    ("operator", include_str!("../../../../vault-policies/operator.hcl")),
    ("auditor", include_str!("../../../../vault-policies/auditor.hcl")),
    ("rewrapper", include_str!("../../../../vault-policies/rewrapper.hcl")),
    ("indexer", include_str!("../../../../vault-policies/indexer.hcl")),
];

/// Who logs in again by itself, for as long as it runs.
pub const SERVERS: [&str; 8] =
    ["api", "worker", "relay", "projector", "integrators", "clocks", "webhooks", "certifier"];

/// The policy of the supervisor's token.
pub const SUPERVISOR: &str = include_str!("../../../../vault-policies/supervisor.hcl");

/// Beginnings of paths that exist once per prefix.
const OWN: [&str; 6] = ["database/", "rabbitmq/", "kv/", "transit/", "pki/", "auth/approle/role/"];

/// A policy whose paths lead to the mounts and roles of `prefix`.
pub fn render(policy: &str, prefix: &str) -> String {
    policy.split_inclusive('\n').map(|line| render_line(line, prefix)).collect()
}

fn render_line(line: &str, prefix: &str) -> String {
    let Some((path, rest)) = line.strip_prefix("path \"").and_then(|line| line.split_once('"')) else {
        return line.to_owned();
    };
    format!("path \"{}\"{rest}", place(path, prefix))
}

/// Where a path of the files lies for a prefix.
pub fn place(path: &str, prefix: &str) -> String {
    match OWN.into_iter().find(|own| path.starts_with(own)) {
        Some(own @ "auth/approle/role/") => format!("{own}{prefix}{}", &path[own.len()..]),
        Some(_) => format!("{prefix}{path}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_prefix_a_policy_is_its_file() {
        for (_, policy) in APP_ROLES {
            assert_eq!(render(policy, ""), policy);
        }
    }

    fn policy(name: &str) -> &'static str {
        APP_ROLES.iter().find(|(role, _)| *role == name).unwrap().1
    }

    #[test]
    fn a_prefix_moves_own_paths_and_leaves_shared_ones() {
        let api = render(policy("api"), "t1-");
        assert!(api.contains("path \"t1-database/creds/reader\" {"));
        assert!(api.contains("path \"t1-kv/data/cursor\" {"));
        assert!(api.contains("path \"t1-transit/encrypt/webhooks\" {"));
        assert!(api.contains("path \"sys/leases/revoke\" {"));
        assert!(render(policy("worker"), "t1-").contains("path \"t1-rabbitmq/creds/relay\" {"));
        assert!(render(SUPERVISOR, "t1-").contains("path \"auth/approle/role/t1-api/secret-id\" {"));
    }

    #[test]
    fn who_makes_secrets_of_webhooks_cannot_open_them_and_who_delivers_cannot_make_them() {
        let (api, webhooks) = (policy("api"), policy("webhooks"));
        assert!(api.contains("transit/encrypt/webhooks") && !api.contains("transit/decrypt/webhooks"));
        assert!(webhooks.contains("transit/decrypt/webhooks") && !webhooks.contains("transit/encrypt"));
        assert!(!api.contains("kv/data/webhook-signing"));
    }

    #[test]
    fn every_command_reads_only_what_its_name_stands_for() {
        let others = |name: &str| SERVERS.contains(&name) || ["keyholder", "indexer"].contains(&name);
        for (name, policy) in APP_ROLES.iter().filter(|(name, _)| !others(name)) {
            let paths: Vec<&str> =
                policy.lines().filter_map(|line| line.strip_prefix("path \"")?.split('"').next()).collect();
            let own = format!("database/creds/{name}");
            let expected = match *name {
                // It changes the schema of both databases.
                "migrator" => vec![own.as_str(), "database/creds/keys-migrator", "sys/leases/revoke"],
                // It has keys wrapped anew, and none opened.
                "rewrapper" => vec![own.as_str(), "transit/keys/people", "transit/rewrap/people", "sys/leases/revoke"],
                _ => vec![own.as_str(), "sys/leases/revoke"],
            };
            assert_eq!(paths, expected);
        }
    }
}
