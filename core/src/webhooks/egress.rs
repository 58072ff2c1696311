//! Which addresses a request may leave for.
//!
//! Whoever may name an endpoint makes our servers send requests; without a guard that would be a way into the network
//! that they stand in, its databases, and the metadata service of its cloud. So only addresses of the public Internet are
//! allowed, and the worker connects to the very address that was checked. Development allows its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::kernel::Network;

/// The special-purpose ranges of IPv4 (RFC 6890 and its registry).
const SPECIAL_V4: [Network; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// All of IPv6 that is routed between networks.
const PUBLIC_V6: Network = v6(0x2000_0000, 3);

/// What is special within it: protocols of the IETF (Teredo among them, which wraps IPv4), documentation, 6to4 (which wraps
/// IPv4 too), documentation again.
const SPECIAL_V6: [Network; 4] = [v6(0x2001_0000, 23), v6(0x2001_0db8, 32), v6(0x2002_0000, 16), v6(0x3fff_0000, 20)];

const fn v4(octets: [u8; 4], bits: u8) -> Network {
    let [a, b, c, d] = octets;
    Network::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits)
}

/// Of the first 32 bits.
const fn v6(first: u32, bits: u8) -> Network {
    Network::new(IpAddr::V6(Ipv6Addr::from_bits((first as u128) << 96)), bits)
}

/// The guard.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    allowed: Vec<Network>,
}

impl Egress {
    /// One that also lets pass what lies in these networks. In production there are none.
    pub fn allowing(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Whether a request may leave for the address.
    pub fn permits(&self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6's clothes is what it is.
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.contains(address))
    }

    /// Whether `http` will do: only where a network is allowed, hence in development.
    pub fn permits_plain_text(&self) -> bool {
        !self.allowed.is_empty()
    }
}

fn is_public(address: IpAddr) -> bool {
    let within = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
    match address {
        IpAddr::V4(_) => !within(&SPECIAL_V4),
        IpAddr::V6(_) => PUBLIC_V6.contains(address) && !within(&SPECIAL_V6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(egress: &Egress, address: &str) -> bool {
        egress.permits(address.parse().unwrap())
    }

    #[test]
    fn only_the_public_internet_is_reached() {
        let egress = Egress::default();
        for public in ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(permits(&egress, public), "{public}");
        }
        let special = "0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 \
             192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 \
             :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 \
             2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";
        for address in special.split_whitespace() {
            assert!(!permits(&egress, address), "{address}");
        }
    }

    #[test]
    fn development_allows_its_own_and_nothing_more() {
        let egress = Egress::allowing(vec!["127.0.0.1/32".parse().unwrap()]);
        assert!(permits(&egress, "127.0.0.1") && permits(&egress, "::ffff:127.0.0.1") && permits(&egress, "8.8.8.8"));
        assert!(!permits(&egress, "127.0.0.2") && !permits(&egress, "::1") && !permits(&egress, "10.0.0.1"));
        assert!(egress.permits_plain_text() && !Egress::default().permits_plain_text());
    }
}
