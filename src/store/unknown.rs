//! Fields of a newer writer, kept where this program does not know them.
//!
//! Types that change over time carry such fields themselves. This is for the
//! rest: a small object that an edit leaves as it was, such as a fence or an
//! edge, is stored again with everything that it held. One that the edit
//! replaces is new, and what was said of the old one does not apply to it.

use serde::Serialize;
use serde_json::Value;

/// What a stored state holds beyond what its type does.
pub(super) struct Unknown {
    stored: Value,
    known: Value,
}

impl Unknown {
    /// None if `state` is all that `stored`, the text it was read from, says.
    pub(super) fn of<S: Serialize>(stored: &str, state: &S) -> Option<Self> {
        let known = serde_json::to_string(state).ok()?;
        if known == stored {
            return None;
        }
        Some(Self { stored: serde_json::from_str(stored).ok()?, known: serde_json::from_str(&known).ok()? })
    }

    /// `state`, with what is kept; itself if it cannot be told.
    pub(super) fn keep_in<S: Serialize>(&self, state: &S) -> Option<Value> {
        let mut next = serde_json::to_value(state).ok()?;
        keep(&self.stored, &self.known, &mut next);
        Some(next)
    }
}

/// Gives `next` what `stored` holds beyond `known`, object by object.
fn keep(stored: &Value, known: &Value, next: &mut Value) {
    match (stored, known, next) {
        (Value::Object(stored), Value::Object(known), Value::Object(next)) => {
            let is_unchanged = known == next;
            for (key, value) in stored {
                match (known.get(key), next.get_mut(key)) {
                    (Some(known), Some(next)) => keep(value, known, next),
                    (None, None) if is_unchanged => {
                        next.insert(key.clone(), value.clone());
                    }
                    _ => {}
                }
            }
        }
        // What was sorted when it was read is found again by what is known.
        (Value::Array(stored), Value::Array(known), Value::Array(next)) => {
            for item in next.iter_mut().filter(|item| item.is_object() && known.contains(item)) {
                let known = item.clone();
                if let Some(stored) = stored.iter().find(|stored| covers(stored, &known)) {
                    keep(stored, &known, item);
                }
            }
        }
        _ => {}
    }
}

/// Whether `stored` says everything that `known` does.
fn covers(stored: &Value, known: &Value) -> bool {
    match (stored, known) {
        (Value::Object(stored), Value::Object(known)) => {
            known.iter().all(|(key, value)| stored.get(key).is_some_and(|stored| covers(stored, value)))
        }
        _ => stored == known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(stored: Value, known: Value, mut next: Value, expected: Value) {
        keep(&stored, &known, &mut next);
        assert_eq!(next, expected);
    }

    #[test]
    fn what_is_left_as_it_was_keeps_everything() {
        check(
            json!({ "a": { "x": 1, "new": 2, "b": { "y": 1, "new": 3 } }, "t": "old" }),
            json!({ "a": { "x": 1, "b": { "y": 1 } }, "t": "old" }),
            json!({ "a": { "x": 1, "b": { "y": 1 } }, "t": "other" }),
            json!({ "a": { "x": 1, "new": 2, "b": { "y": 1, "new": 3 } }, "t": "other" }),
        );
    }

    #[test]
    fn what_is_replaced_or_removed_does_not_come_back() {
        check(
            json!({ "a": { "x": 1, "new": 2 }, "gone": 1 }),
            json!({ "a": { "x": 1 }, "gone": 1 }),
            json!({ "a": { "x": 2 } }),
            json!({ "a": { "x": 2 } }),
        );
    }

    #[test]
    fn edges_are_found_again_in_any_order() {
        check(
            json!([{ "id": "b", "new": 1 }, { "id": "a", "new": 2 }, { "id": "c", "new": 3 }]),
            json!([{ "id": "a" }, { "id": "b" }, { "id": "c" }]),
            json!([{ "id": "a" }, { "id": "b" }, { "id": "d" }]),
            json!([{ "id": "a", "new": 2 }, { "id": "b", "new": 1 }, { "id": "d" }]),
        );
    }
}
