//! What is shown of a person to those who need to recognise them, and no more.

use super::details::{Details, Private};

/// How many digits at a phone number's end are shown.
const PHONE_SHOWN: usize = 4;

/// A person's details with most of each left out.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked {
    /// The first name, and the initial of the last: `Ana C.`.
    pub name: Private,
    /// The first letter, and where the mailbox is: `a***@exemplo.com.br`.
    pub email: Option<Private>,
    /// The last four digits: `***5678`.
    pub phone: Option<Private>,
    /// The six digits in the middle: `***.982.247-**`.
    pub cpf: Private,
}

impl Masked {
    /// Masks what is known of a person.
    pub fn of(details: &Details) -> Self {
        Self {
            name: name(&details.name),
            email: details.email.as_ref().map(|text| email(text)),
            phone: details.phone.as_ref().map(|text| phone(text)),
            cpf: cpf(details.cpf.digits()),
        }
    }
}

impl std::fmt::Debug for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masked([REDACTED])")
    }
}

fn name(text: &str) -> Private {
    let mut words = text.split_whitespace();
    let (first, last) = (words.next().unwrap_or_default(), words.next_back());
    let initial = last.and_then(|word| word.chars().next());
    Private::new(initial.map_or_else(|| first.to_owned(), |initial| format!("{first} {initial}.")))
}

fn email(text: &str) -> Private {
    let (local, domain) = text.split_once('@').unwrap_or((text, ""));
    let first: String = local.chars().take(1).collect();
    Private::new(format!("{first}***@{domain}"))
}

fn phone(text: &str) -> Private {
    let hidden = text.chars().count().saturating_sub(PHONE_SHOWN);
    Private::new(format!("***{}", text.chars().skip(hidden).collect::<String>()))
}

/// As Brazilian receipts print it.
fn cpf(digits: &str) -> Private {
    let middle = |from: usize| digits.get(from..from + 3).unwrap_or_default();
    Private::new(format!("***.{}.{}-**", middle(3), middle(6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_left_to_recognise_and_not_to_know() {
        assert_eq!(*name("Ana Conceição d'Ávila"), "Ana d.");
        assert_eq!(*name("  Ana   Souza "), "Ana S.");
        assert_eq!(*name("Érico"), "Érico");
        assert_eq!(*email("ana@exemplo.com.br"), "a***@exemplo.com.br");
        assert_eq!(*email("é@b"), "é***@b");
        assert_eq!(*phone("+5511912345678"), "***5678");
        assert_eq!(*cpf("52998224725"), "***.982.247-**");
    }
}
