//! Keys that are none, because somebody typed, counted or published them. A process refuses to start with one.
//!
//! What people type is text, and what they count has a pattern; both are seen by looking. A key that was drawn at random and then
//! printed in a manual looks like any other, so those that are known stand here by a part of their digest.

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA256, digest};

/// Of 32 random bytes some 30 differ; below this a generator would come once in 10^9 years.
const DIFFERENT_BYTES_MIN: usize = 21;
/// How often the step from byte to byte may be that of the byte before.
const EQUAL_STEPS_MAX: usize = 5;

/// The first 8 bytes of the SHA-256 of published keys, in order: those of lists of leaked secrets that look random, and the
/// test keys of RFC 8032.
#[rustfmt::skip]
const PUBLISHED: [u64; 121] = [
    0x04cb_a21b_e648_00bf, 0x0500_a456_6b68_665d, 0x0509_e91e_eda3_4b8b, 0x05c0_4e99_3928_5b47, 0x05f8_5d5d_df05_221e,
    0x0671_e6cc_3d36_a494, 0x0799_3dc1_6ac4_6f38, 0x0955_86f2_d768_4b29, 0x0a8f_4b29_434f_d5bb, 0x0b00_8ea5_0aaf_7649,
    0x0b47_474f_070c_4e82, 0x0bea_848e_2e03_0718, 0x0c73_973c_0b61_b402, 0x0cbf_036a_0714_d927, 0x127c_000e_99d1_c173,
    0x1287_c302_6ef2_2008, 0x186b_08ca_3010_e9da, 0x1971_d0d5_c661_241d, 0x1b24_ba18_c4ea_d6b5, 0x1b5c_db4e_f828_f7d1,
    0x1b97_1209_20bc_8b6d, 0x1fb0_7f8f_bb49_8485, 0x201a_3b2f_b7d0_ca13, 0x218d_a300_eb64_5f11, 0x2261_2985_0468_bfaa,
    0x2802_4a74_9434_22cc, 0x2a50_d50c_f0f8_5189, 0x2c85_4ba9_e47a_9318, 0x2ca8_b96c_f219_1d68, 0x2fa3_cac8_5d4d_7362,
    0x3155_fd76_037e_97e4, 0x3238_4bb1_51fd_6a06, 0x390e_8207_015a_9b2a, 0x3b5d_9c7a_92f1_39c0, 0x3d1d_27f1_3532_6197,
    0x3d2d_9682_cdba_5296, 0x4650_818f_fc74_8404, 0x47bd_8a84_eb0e_25ff, 0x4a6f_8bfa_ba69_5281, 0x4d0f_8dec_4515_d07a,
    0x55fd_bfbb_b42f_19ee, 0x5ae9_6b4d_5b00_420d, 0x5b21_0781_2a20_bb20, 0x61af_d3d8_85d1_c039, 0x61f1_da12_538d_4302,
    0x644d_50ab_6486_4c20, 0x66ea_198f_8bd7_a297, 0x6807_dc9d_c700_db3f, 0x6987_a138_cd77_9bfc, 0x6bd1_8718_5069_04f2,
    0x6eab_ba38_2eb7_fe68, 0x72e9_3f14_0b3e_020b, 0x73ff_ea6f_e2cb_1acb, 0x763d_bd93_ea19_7b58, 0x7649_b015_af87_8268,
    0x789d_f410_a8ad_0340, 0x78d6_d5a3_7d26_030a, 0x7c45_59f2_4119_9523, 0x8200_8449_e599_f564, 0x82a8_b7ac_368d_31a3,
    0x82b8_f98e_4934_4962, 0x83d2_7545_31c7_ac2c, 0x84a0_ab4a_0c52_1db1, 0x86e7_b679_b318_6252, 0x870c_72af_8da1_f755,
    0x890a_c1e0_4ebc_402a, 0x8aa1_8366_a37c_9c0d, 0x8b82_aba3_7af7_ab64, 0x918a_4832_06ab_fc92, 0x93cf_7ae9_0933_36a8,
    0x99cd_b39f_1707_5af6, 0x9a2c_5f9b_9f29_fa2f, 0x9b0b_4afc_ce32_65ae, 0x9bd9_c793_7be5_b186, 0x9cf0_9805_965f_31fe,
    0xa2c0_ddb1_2e70_5839, 0xa68b_2197_1a33_f227, 0xaab6_fb2d_2e68_7db2, 0xab45_ed20_c97e_ff86, 0xae20_2677_3b51_9c5a,
    0xaed4_d3dc_94fe_c2d9, 0xb1e8_1986_7577_b429, 0xb2a7_8934_b1d9_5891, 0xb398_03de_897f_ffc6, 0xb529_610e_864e_4176,
    0xb5b5_dda8_eeab_3c1a, 0xb80e_bc93_da4d_44a8, 0xbab4_c309_cbb1_d536, 0xc222_4c6c_50ab_6890, 0xc2d7_456b_64f2_46fa,
    0xc335_b219_4024_6c53, 0xc7be_7ea3_5e99_5244, 0xc80c_0bd2_0d8c_f15f, 0xc911_b548_ce4c_7d57, 0xc94b_824e_053f_5a79,
    0xc96e_c3ce_fda4_ba66, 0xcc97_a9c7_eff8_b701, 0xcdea_f937_8133_1a17, 0xce1f_569a_b6f6_21cd, 0xd434_cd14_f7c9_4204,
    0xd8d3_cc84_b65c_6b0f, 0xd8ec_a0cc_a720_d33b, 0xd963_9d17_a770_9abf, 0xdaf9_c1e0_cbc5_3633, 0xdfcb_f760_e8ba_cd08,
    0xe19b_3710_0d8d_9c66, 0xe1f4_b5c7_bfe2_c772, 0xe200_a4b8_4886_cc2e, 0xe28b_3e73_92f1_06eb, 0xe4ca_a2a0_e229_4505,
    0xe8d8_7064_f2b1_8bb3, 0xeaef_8560_8281_1f42, 0xed34_906c_5c1a_01ad, 0xf05b_104e_ec88_8c51, 0xf199_d485_3233_4c77,
    0xf38e_c10e_c300_f2f3, 0xf8f2_a2cb_93fc_fa5f, 0xf905_b636_f0ae_663f, 0xfa27_67f3_d860_991b, 0xfacd_6ef1_a42e_d8b3,
    0xfc15_d400_132c_0be3,
];

/// Whether anybody could guess the key.
pub fn is_weak(key: &[u8; 32]) -> bool {
    is_text(key) || has_pattern(key) || is_published(key)
}

/// Text, perhaps filled up with zeros. Random bytes are so once in 10^12 times.
fn is_text(key: &[u8; 32]) -> bool {
    let length = key.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = match std::str::from_utf8(&key[..length]) {
        Ok(text) => text,
        // Cut off within a letter.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&key[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.chars().any(char::is_control)
}

fn has_pattern(key: &[u8; 32]) -> bool {
    let different: HashSet<u8> = key.iter().copied().collect();
    let steps: Vec<u8> = key.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let equal = steps.windows(2).filter(|pair| pair[0] == pair[1]).count();
    different.len() < DIFFERENT_BYTES_MIN || equal > EQUAL_STEPS_MAX
}

fn is_published(key: &[u8; 32]) -> bool {
    let mut first = [0; 8];
    first.copy_from_slice(&digest(&SHA256, key).as_ref()[..8]);
    PUBLISHED.binary_search(&u64::from_be_bytes(first)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::random;
    use super::*;

    #[test]
    fn what_a_generator_draws_is_never_refused() {
        for _ in 0..10_000 {
            assert!(!is_weak(&random::bytes()));
        }
    }

    #[test]
    fn what_people_make_is() {
        let counted: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let backwards: [u8; 32] = std::array::from_fn(|index| 255 - 3 * u8::try_from(index).unwrap());
        let mut padded = [0; 32];
        padded[..22].copy_from_slice("senha forte da padaria".as_bytes());
        let mut foreign = [0; 32];
        foreign[..28].copy_from_slice("conceição são joão água pé".as_bytes().get(..28).unwrap());
        for key in
            [[0; 32], [255; 32], [7; 32], counted, backwards, padded, foreign, *b"abcdefghijklmnopqrstuvwxyz012345"]
        {
            assert!(is_weak(&key), "{key:?}");
        }
    }

    #[test]
    fn published_keys_are_in_order_to_be_found() {
        assert!(PUBLISHED.is_sorted());
        // RFC 8032 §7.1, test 1.
        let key = 0x9d61_b19d_effd_5a60_ba84_4af4_92ec_2cc4_u128.to_be_bytes();
        let rest = 0x4449_c569_7b32_6919_703b_ac03_1cae_7f60_u128.to_be_bytes();
        let mut whole = [0; 32];
        whole[..16].copy_from_slice(&key);
        whole[16..].copy_from_slice(&rest);
        assert!(is_weak(&whole) && is_published(&whole));
    }
}
