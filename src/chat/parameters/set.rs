//! A set of parameters that tables of facts can be written with.

use super::Parameter;

/// Some of the [`Parameter`]s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParameterSet(u32);

impl ParameterSet {
    /// These parameters.
    pub const fn of(parameters: &[Parameter]) -> Self {
        let mut bits = 0;
        let mut rest = parameters;
        while let [first, others @ ..] = rest {
            bits |= Self::bit(*first);
            rest = others;
        }
        Self(bits)
    }

    /// These and those of another set.
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These but for those of another set.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether a parameter is one of them.
    pub const fn contains(self, parameter: Parameter) -> bool {
        self.0 & Self::bit(parameter) != 0
    }

    /// Adds one; whether it is new.
    pub const fn insert(&mut self, parameter: Parameter) -> bool {
        let is_new = !self.contains(parameter);
        self.0 |= Self::bit(parameter);
        is_new
    }

    const fn bit(parameter: Parameter) -> u32 {
        1 << parameter as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Parameter::{Seed, Stop, Temperature, TopLogprobs};

    #[test]
    fn sets_are_joined_and_taken_apart() {
        let mut set = ParameterSet::of(&[Temperature, Stop]).and(ParameterSet::of(&[Stop, TopLogprobs]));
        let named = |set: ParameterSet| {
            Parameter::ALL
                .map(|one| set.contains(one))
                .iter()
                .filter(|is| **is)
                .count()
        };
        assert!(set.contains(Temperature) && set.contains(Stop) && set.contains(TopLogprobs));
        assert_eq!(named(set), 3);
        assert!(set.insert(Seed) && !set.insert(Seed));
        let less = set.without(ParameterSet::of(&[Stop, Seed]));
        assert_eq!(less, ParameterSet::of(&[TopLogprobs, Temperature]));
    }
}
