//! A number by which data that was seen before is known again.

/// FNV-1a in steps of eight bytes. Good enough to tell pictures apart; nobody gains anything by a collision but a wrong
/// picture of their own.
pub(crate) fn fingerprint(data: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| {
        let sum = (sum ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        sum ^ sum >> 32
    };
    let (words, rest) = data.as_chunks();
    let sum = words.iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(mix(sum, data.len() as u64), |sum, byte| mix(sum, u64::from(*byte)))
}
