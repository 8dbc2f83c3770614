//! Numbers in texts.

/// A number with commas: `150,000`.
pub(in crate::console) fn count(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something: `1 customer`, `2,000 customers`.
pub(in crate::console) fn counted(number: impl Into<u64>, one: &str, many: &str) -> String {
    let number = number.into();
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_in_groups_of_three() {
        for (number, text) in
            [(0_u64, "0"), (999, "999"), (1_000, "1,000"), (150_000, "150,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(
            (counted(1_u32, "group", "groups"), counted(0_u32, "group", "groups")),
            ("1 group".into(), "0 groups".into())
        );
    }
}
