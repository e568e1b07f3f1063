//! Groups of pieces: piece i is of group `groups[i]`, and groups are numbered from 0.

/// How many pieces each group has; `None` when there are none, or another number of them than `pieces`.
pub(super) fn sizes(groups: &[usize], pieces: usize) -> Option<Vec<usize>> {
    let count = groups.iter().max()? + 1;
    if groups.len() != pieces {
        return None;
    }
    let mut sizes = vec![0; count];
    groups.iter().for_each(|&group| sizes[group] += 1);
    Some(sizes)
}

/// As [`sizes`], where there are two groups or more and one of them has two pieces or more; otherwise nothing can be said
/// about how groups lie.
pub(super) fn comparable(groups: &[usize], pieces: usize) -> Option<Vec<usize>> {
    let sizes = sizes(groups, pieces)?;
    let filled = sizes.iter().filter(|&&size| size > 0).count();
    (filled >= 2 && filled < pieces).then_some(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_and_groups_of_one_are_not_comparable() {
        assert_eq!(sizes(&[0, 2, 2], 3), Some(vec![1, 0, 2]));
        assert_eq!(comparable(&[0, 2, 2], 3), Some(vec![1, 0, 2]));
        assert_eq!(comparable(&[0, 2, 2], 4), None);
        assert_eq!(comparable(&[1, 1, 1], 3), None);
        assert_eq!(comparable(&[0, 1, 2], 3), None);
        assert_eq!(comparable(&[], 0), None);
    }
}
