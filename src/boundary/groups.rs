//! Layers and independent parts: which part must not import which.

use super::rules::{Independent, Layers, Member, named};
use crate::gate::code;
use crate::gate::pattern::Kinds;
use crate::gate::scope::Domain;

/// A rule over several parts of the code.
pub(super) struct Groups<'r> {
    /// Every part with its layer, counted from the top; independent parts are
    /// all on one.
    members: Vec<(&'r Member, usize)>,
    what: What,
    /// The code of what breaks it.
    pub(super) code: &'static str,
    /// Its line of `comm.toml`.
    pub(super) line: usize,
    /// As it is written, in short.
    pub(super) text: String,
    pub(super) kinds: Kinds,
    pub(super) is_transitive: bool,
    pub(super) reason: &'r str,
}

#[derive(Clone, Copy)]
enum What {
    Layers { is_strict: bool, siblings_may: bool },
    Independent,
}

impl<'r> Groups<'r> {
    pub(super) fn layers(rule: &'r Layers) -> Self {
        let members = rule.order.iter().enumerate();
        Self {
            members: members.flat_map(|(i, layer)| layer.iter().map(move |member| (member, i))).collect(),
            what: What::Layers { is_strict: rule.is_strict, siblings_may: rule.siblings_may },
            code: code::LAYER,
            line: rule.line,
            text: format!("layers{}", named(&rule.name)),
            kinds: rule.kinds,
            is_transitive: rule.is_transitive,
            reason: &rule.reason,
        }
    }

    pub(super) fn independent(rule: &'r Independent) -> Self {
        Self {
            members: rule.members.iter().map(|member| (member, 0)).collect(),
            what: What::Independent,
            code: code::DEPENDENT,
            line: rule.line,
            text: format!("independent{}", named(&rule.name)),
            kinds: rule.kinds,
            is_transitive: rule.is_transitive,
            reason: &rule.reason,
        }
    }

    /// How many parts there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The part that a file belongs to: the first that has it.
    pub(super) fn of(&self, path: &str, domain: Option<&Domain>) -> Option<usize> {
        self.members.iter().position(|(member, _)| member.has(path, domain))
    }

    /// The part as it is written.
    pub(super) fn name(&self, part: usize) -> &'r str {
        self.members.get(part).map_or("", |(member, _)| member.text.as_str())
    }

    /// Why one part must not import another; none if it may.
    pub(super) fn forbids(&self, from: usize, to: usize) -> Option<String> {
        let (Some((one, high)), Some((other, low))) = (self.members.get(from), self.members.get(to)) else {
            return None;
        };
        if from == to {
            return None;
        }
        let (one, other) = (&one.text, &other.text);
        match self.what {
            What::Independent => Some(format!("`{one}` and `{other}` are independent of each other")),
            What::Layers { .. } if low < high => Some(format!("layer `{one}` is below `{other}`")),
            What::Layers { siblings_may: false, .. } if low == high => {
                Some(format!("`{one}` and `{other}` are side by side in one layer"))
            }
            What::Layers { is_strict: true, .. } if *low > high + 1 => {
                Some(format!("layer `{one}` may import only the one below it, and `{other}` is lower"))
            }
            What::Layers { .. } => None,
        }
    }
}
