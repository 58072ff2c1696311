//! Whether money comes in and goes out by play.

use super::environment::Environment;

impl Environment {
    /// `VINTEM_FUNDING`: `simulator`, or nothing.
    pub(super) fn is_funding_simulated(&mut self) -> Option<bool> {
        match self.optional("VINTEM_FUNDING").as_deref() {
            None => Some(false),
            Some("simulator") => Some(true),
            // A word that is misread would be a bank that is not there.
            Some(_) => {
                self.problems.push("VINTEM_FUNDING is not simulator".to_owned());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: Option<&str>) -> Option<bool> {
        let set = text.map(|text| ("VINTEM_FUNDING".to_owned(), text.to_owned()));
        Environment::of(set).is_funding_simulated()
    }

    #[test]
    fn money_is_played_with_only_where_that_is_said() {
        assert_eq!([None, Some("simulator"), Some("pix")].map(read), [Some(false), Some(true), None]);
    }
}
