//! How often requests may come, as the environment says it.

use super::environment::Environment;
use crate::kernel::Rate;

/// How often requests may come.
#[derive(Debug, Clone)]
pub struct RateSettings {
    /// `VINTEM_RATE_PRINCIPAL`: those of one caller; `3000/10` is 3,000 at once, and 300 a second after that.
    pub principal: Rate,
    /// `VINTEM_RATE_DEVICE`: those that one key proves, whoever it is of.
    pub device: Rate,
    /// `VINTEM_RATE_ADDRESS`: those without a token, also for one, from one address.
    pub address: Rate,
    /// `VINTEM_RATE_EXEMPT`: ids of clients and names of tenants whose requests are not counted.
    pub exempt: Vec<String>,
}

impl Default for RateSettings {
    fn default() -> Self {
        let rate = |count, seconds| Rate::try_new(count, seconds).expect("neither is zero");
        Self { principal: rate(3_000, 10), device: rate(1_500, 10), address: rate(300, 60), exempt: Vec::new() }
    }
}

impl Environment {
    /// Reads them; each has a usual value.
    pub(super) fn rates(&mut self) -> Option<RateSettings> {
        let usual = RateSettings::default();
        let principal = self.rate_or("VINTEM_RATE_PRINCIPAL", usual.principal);
        let device = self.rate_or("VINTEM_RATE_DEVICE", usual.device);
        let address = self.rate_or("VINTEM_RATE_ADDRESS", usual.address);
        let exempt = self.optional("VINTEM_RATE_EXEMPT").unwrap_or_default();
        let exempt = exempt.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Some(RateSettings { principal: principal?, device: device?, address: address?, exempt })
    }
}
