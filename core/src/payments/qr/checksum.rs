//! The checksum of a code: CRC-16/CCITT-FALSE over the UTF-8 bytes of all that stands before it, its own tag and length included.

/// The polynomial x¹⁶ + x¹² + x⁵ + 1.
const POLYNOMIAL: u16 = 0x1021;

/// The checksum of some bytes.
pub fn of(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ POLYNOMIAL }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        assert_eq!(of(b"123456789"), 0x29b1);
        assert_eq!(of(b""), 0xffff);
    }
}
