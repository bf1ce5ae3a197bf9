//! Sigma's logsources.

/// Where an event comes from, in Sigma's terms. The names are those of the Sigma specification's
/// logsource appendix (`process_creation`, `linux`, `sshd` …).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Logsource {
    /// Kind of activity, such as `process_creation`, `webserver`, `firewall`, `dns`.
    pub category: Option<&'static str>,
    /// Product, such as `linux`, `windows`, `suricata`.
    pub product: Option<&'static str>,
    /// Part of the product, such as `sshd`, `auth`, `sysmon`.
    pub service: Option<&'static str>,
}

/// The set of logsources of an event: a rule applies when any of them fits. Parsers keep these
/// sets in static tables, so a set is known by its address.
pub type Logsources = &'static [Logsource];

impl Logsource {
    /// A logsource known by product and service.
    pub const fn service(product: &'static str, service: &'static str) -> Self {
        Self { category: None, product: Some(product), service: Some(service) }
    }

    /// A logsource known by category alone.
    pub const fn category(category: &'static str) -> Self {
        Self { category: Some(category), product: None, service: None }
    }

    /// A logsource known by product alone.
    pub const fn product(product: &'static str) -> Self {
        Self { category: None, product: Some(product), service: None }
    }

    /// Whether a rule that names these parts (`None`: any) applies to this logsource.
    pub fn fits(
        &self,
        category: Option<&str>,
        product: Option<&str>,
        service: Option<&str>,
    ) -> bool {
        let agrees = |wanted: Option<&str>, has: Option<&'static str>| {
            wanted.is_none_or(|wanted| has.is_some_and(|has| has.eq_ignore_ascii_case(wanted)))
        };
        agrees(category, self.category)
            && agrees(product, self.product)
            && agrees(service, self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_asks_only_for_what_it_names() {
        let sshd = Logsource::service("linux", "sshd");
        assert!(sshd.fits(None, Some("linux"), None));
        assert!(sshd.fits(None, None, Some("SSHD")));
        assert!(!sshd.fits(Some("process_creation"), Some("linux"), None));
        assert!(!sshd.fits(None, Some("windows"), None));
    }
}
