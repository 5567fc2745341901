//! Some of many, from all over them, and others another time.

/// Numbers below `count`, at most `most` and the last one: at equal distances, shifted by `turn`, so that over the turns
/// every one of them has its turn.
pub fn spread(count: usize, most: usize, turn: u64) -> Vec<usize> {
    if count <= most || most == 0 {
        return (0..count).collect();
    }
    // Scattered, so that turns at equal distances do not meet the same again and again.
    let scattered = (turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
    let shift = scattered % count.div_ceil(most);
    let mut numbers: Vec<usize> = (0..most)
        .map(|number| count * number / most + shift)
        .chain([count - 1])
        .filter(|number| *number < count)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn few_are_all_there_and_of_many_every_one_has_its_turn() {
        assert_eq!(spread(3, 8, 5), [0, 1, 2]);
        assert!(spread(0, 8, 5).is_empty());
        for step in [1, 60] {
            let mut met = BTreeSet::new();
            for turn in 0..100 {
                let numbers = spread(150, 8, 1_790_000_000 + turn * step);
                assert!(numbers.len() <= 9 && numbers.last() == Some(&149));
                met.extend(numbers);
            }
            assert_eq!(met.len(), 150);
        }
    }
}
