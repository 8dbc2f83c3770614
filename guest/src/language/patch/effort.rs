//! A limit for the comparisons that one request may cause.

use crate::language::error::{Error, Result};

/// How many comparisons one request may cause in all, by its filters and by its values: some tenths of a second. It is
/// enough for a hundred tests on each member of the largest group; members named by their `value` need no test.
const MAX_TESTS: u64 = 20_000_000;

/// What is left of that. The operations of a bulk request share it.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    left: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { left: MAX_TESTS }
    }
}

impl Effort {
    /// Deducts the cost of this many tests on each of this many values, before they are made.
    ///
    /// # Errors
    /// 400 `tooMany` if less than that is left.
    pub fn spend(&mut self, values: usize, tests: usize) -> Result<()> {
        let cost = (values as u64).saturating_mul(tests as u64);
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            Error::too_many(
                "the operations would have to go through too many values; name members by their value, and send fewer \
                 operations at once",
            )
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::error::ScimType;

    #[test]
    fn what_is_too_much_is_refused_and_takes_nothing_off() {
        let mut effort = Effort::default();
        assert_eq!(effort.spend(usize::MAX, usize::MAX).unwrap_err().scim_type, Some(ScimType::TooMany));
        for _ in 0..20 {
            effort.spend(1_000, 1_000).unwrap();
        }
        assert!(effort.spend(1, 1).is_err());
        effort.spend(0, 1).unwrap();
    }
}
