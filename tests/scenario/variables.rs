//! The variables of a scenario: some are made up at its start, others are taken from responses.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

/// The mail domain of the people in the scenarios.
const DOMAIN: &str = "example.com";

#[derive(Debug, Clone)]
pub(super) struct Variables {
    values: HashMap<String, Value>,
    round: Option<u64>,
}

/// The name of a variable that nothing has set.
#[derive(Debug)]
pub(super) struct Missing(pub(super) String);

impl Variables {
    /// The variables that a scenario starts with. What looks random in them depends on its name alone, so that a failure
    /// comes back at the next run.
    pub(super) fn new(scenario: &str, base: &str) -> Self {
        let hash = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (scenario, salt).hash(&mut hasher);
            hasher.finish()
        };
        // A letter at each end, so that upper and lower case differ.
        let random = format!("k{:07x}z", hash(0) & 0x0FFF_FFFF);
        let mut values = HashMap::from([
            ("RAND".to_owned(), random.to_uppercase().into()),
            ("rand".to_owned(), random.into()),
            ("domain".to_owned(), DOMAIN.into()),
            ("base".to_owned(), base.into()),
            ("has_token".to_owned(), true.into()),
        ]);
        for number in 1..=9 {
            let (high, low) = (hash(number), hash(number + 100));
            let uuid = format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                high >> 32,
                high >> 16 & 0xFFFF,
                high & 0xFFF,
                low >> 52,
                low & 0xFFFF_FFFF_FFFF
            );
            values.insert(format!("uuid{number}"), uuid.into());
        }
        Self { values, round: None }
    }

    /// Sets the number of the round of a step that is repeated.
    pub(super) fn set_round(&mut self, round: Option<u64>) {
        self.round = round;
    }

    /// Remembers a value from a response; in a step that is repeated, also under a name of the round.
    pub(super) fn capture(&mut self, name: &str, value: Value) {
        if let Some(round) = self.round {
            self.values.insert(format!("{name}_{round}"), value.clone());
        }
        self.values.insert(name.to_owned(), value);
    }

    /// Takes over what `other` has and this one has not.
    pub(super) fn add_missing(&mut self, other: Self) {
        for (name, value) in other.values {
            self.values.entry(name).or_insert(value);
        }
    }

    /// The value of a variable. `padN` is made of N letters.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        if name == "i" {
            return self.round.map(Value::from);
        }
        let length = name.strip_prefix("pad")?.parse().ok()?;
        Some("x".repeat(length).into())
    }

    /// Fills the variables into every text of `value`, names of members included. A text that is one variable and nothing
    /// else becomes the variable's value, whatever its type.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, Missing> {
        Ok(match value {
            Value::String(text) => match whole_variable(text) {
                Some(name) => self.get(name).ok_or_else(|| Missing(name.to_owned()))?,
                None => self.fill_text(text)?.into(),
            },
            Value::Array(elements) => elements.iter().map(|element| self.fill(element)).collect::<Result<_, _>>()?,
            Value::Object(members) => self.fill_members(members)?.into(),
            other => other.clone(),
        })
    }

    /// Fills the variables into the names and values of an object.
    pub(super) fn fill_members(&self, members: &Map<String, Value>) -> Result<Map<String, Value>, Missing> {
        members.iter().map(|(name, value)| Ok((self.fill_text(name)?, self.fill(value)?))).collect()
    }

    /// Fills the variables into a text. A name may hold a variable itself, as in `${u_${i}}`.
    pub(super) fn fill_text(&self, text: &str) -> Result<String, Missing> {
        let mut filled = text.to_owned();
        // The last opening is the innermost.
        while let Some(start) = filled.rfind("${") {
            let Some(length) = filled[start..].find('}') else { break };
            let name = filled[start + 2..start + length].to_owned();
            let value = self.get(&name).ok_or(Missing(name))?;
            filled.replace_range(start..=start + length, &self::text(&value));
        }
        Ok(filled)
    }
}

/// The name of the variable that a text consists of.
fn whole_variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
}

/// A value as it is written into a text.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
