//! How often callers may ask: each caller by its identity and by the key that proves it, and who has none by its address.
//!
//! The buckets are kept in this process, as many as are busy: who floods it with addresses loses nobody else's. With several
//! processes each lets through its share. Who is exempt stands in the settings and nowhere else.

use crate::context::address;
use crate::object::parse_uuid;
use crate::problem::{Code, Problem};
use crate::routes::Entry;
use actix_web::HttpRequest;
use moka::sync::Cache;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;
use vintem_core::access::{Policy, Tenant, Thumbprint};
use vintem_core::kernel::{Bucket, Rate};
use vintem_core::secrets::RateSettings;
use vintem_core::telemetry::Metrics;

/// Buckets of each kind: some 20 MB when all are in use.
const BUCKETS: u64 = 100_000;
/// What a wrong secret costs more than a right one.
const WRONG_SECRET: u32 = 19;
/// Asked by those who keep the process running; they must not hear that they ask too often.
const UNCOUNTED: [&str; 2] = ["/livez", "/readyz"];

/// What is counted, and how much is left of it.
pub struct Limits {
    began: Instant,
    principal: Rate,
    device: Rate,
    address: Rate,
    exempt_clients: HashSet<Uuid>,
    exempt_tenants: HashSet<String>,
    principals: Cache<Uuid, Arc<Bucket>>,
    devices: Cache<Thumbprint, Arc<Bucket>>,
    addresses: Cache<u64, Arc<Bucket>>,
    metrics: Arc<Metrics>,
}

impl Limits {
    /// Full buckets for everybody.
    pub fn new(settings: RateSettings, metrics: Arc<Metrics>) -> Self {
        let RateSettings { principal, device, address, exempt } = settings;
        // A tenant's name may look like an id, so each counts as both.
        let exempt_clients = exempt.iter().filter_map(|name| parse_uuid(name)).collect();
        Self {
            began: Instant::now(),
            principal,
            device,
            address,
            exempt_clients,
            exempt_tenants: exempt.into_iter().collect(),
            principals: buckets(principal),
            devices: buckets(device),
            addresses: buckets(address),
            metrics,
        }
    }

    /// Counts a request of a known caller, and of the device whose key proved it.
    pub fn known(&self, subject: Uuid, device: Option<Thumbprint>, tenant: &Tenant) -> Result<(), Problem> {
        if self.exempt_tenants.contains(tenant.name.as_str()) || self.exempt_clients.contains(&subject) {
            return Ok(());
        }
        let bucket = self.principals.get_with(subject, Arc::default);
        bucket.take(self.principal, self.now(), 1).map_err(|wait| self.refused("principal", wait))?;
        let Some(device) = device else { return Ok(()) };
        let bucket = self.devices.get_with(device, Arc::default);
        bucket.take(self.device, self.now(), 1).map_err(|wait| self.refused("device", wait))
    }

    /// Counts a request for a route that needs no proof, as logins are, or for nothing that there is.
    pub fn before(&self, request: &HttpRequest, route: Option<&Entry>) -> Result<(), Problem> {
        let is_counted = is_open(route) && route.is_none_or(|route| !UNCOUNTED.contains(&route.path));
        if is_counted { self.address(address(request)) } else { Ok(()) }
    }

    /// Counts a refused secret, or a refused token: who tries them out is slowed down.
    pub fn after(&self, request: &HttpRequest, route: Option<&Entry>, refused: &Problem) -> Result<(), Problem> {
        // An expired token was good once, and its owner is about to log in from the same address.
        if refused.status() != 401 || refused.code() == Code::TokenExpired {
            return Ok(());
        }
        if is_open(route) {
            self.bucket(address(request)).charge(self.address, self.now(), WRONG_SECRET);
            return Ok(());
        }
        self.address(address(request))
    }

    fn address(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        self.bucket(address).take(self.address, self.now(), 1).map_err(|wait| self.refused("address", wait))
    }

    fn bucket(&self, address: Option<IpAddr>) -> Arc<Bucket> {
        self.addresses.get_with(network(address), Arc::default)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn refused(&self, whose: &'static str, wait: Duration) -> Problem {
        self.metrics.rate_limited(whose);
        let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
        Problem::new(Code::RateLimited, format!("there are too many requests; the next is let through in {seconds} s"))
            .retry_after(seconds)
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("principal", &self.principal)
            .field("device", &self.device)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Whether nobody has proven anything when the route's handler begins.
fn is_open(route: Option<&Entry>) -> bool {
    route.is_none_or(|route| route.policy == Policy::Public)
}

/// Buckets that are forgotten when they have long been full.
fn buckets<K: std::hash::Hash + Eq + Send + Sync + 'static>(rate: Rate) -> Cache<K, Arc<Bucket>> {
    // Debts reach as far as two fillings.
    Cache::builder().max_capacity(BUCKETS).time_to_idle(rate.filling() * 3).build()
}

/// Whoever has an IPv6 address has a network of 64 bits of them. Requests that come from nowhere share a bucket.
fn network(address: Option<IpAddr>) -> u64 {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => u64::from(address.to_bits()),
        // No network of the public Internet begins with 32 zeros, so the two families do not meet.
        Some(IpAddr::V6(address)) => u64::try_from(address.to_bits() >> 64).unwrap_or(u64::MAX),
        None => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_what_one_person_has() {
        let of = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(network(None), of("255.255.255.255"));
    }
}
