//! What surrounds every page: navigation, switches, who is signed in.

/// The parts of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Incidents,
    Bans,
    Tickets,
    Learning,
    Account,
    /// Before sign-in, and error pages.
    Door,
}

/// One entry of the navigation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NavEntry {
    pub href: &'static str,
    pub icon: &'static str,
    pub key: &'static str,
    pub current: bool,
}

/// Who is signed in, as the frame shows it.
#[derive(Clone, Debug)]
pub(crate) struct ShellUser {
    pub name: String,
    pub may_change: bool,
}

/// What surrounds a page.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    /// `light` or `dark` where the reader chose; else the browser's choice holds.
    pub theme: Option<&'static str>,
    pub user: Option<ShellUser>,
    /// What forms must carry.
    pub form_token: String,
    pub section: Section,
    /// Path and query of the page, for links to the page itself.
    pub location: String,
    pub dry_run: bool,
    /// Key of a text about what was just done.
    pub notice: Option<&'static str>,
}

impl Shell {
    /// The navigation.
    pub fn nav(&self) -> [NavEntry; 5] {
        let entry = |href, icon, key, section| NavEntry {
            href,
            icon,
            key,
            current: self.section == section,
        };
        [
            entry("/", "overview", "nav-overview", Section::Overview),
            entry("/incidents", "incidents", "nav-incidents", Section::Incidents),
            entry("/bans", "ban", "nav-bans", Section::Bans),
            entry("/tickets", "ticket", "nav-tickets", Section::Tickets),
            entry("/learning", "learning", "nav-learning", Section::Learning),
        ]
    }

    /// A link to this page with `name=value` in its query.
    pub fn with(&self, name: &str, value: impl AsRef<str>) -> String {
        let (path, query) = self.location.split_once('?').unwrap_or((&self.location, ""));
        let mut link = format!("{path}?");
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let key = pair.split('=').next().unwrap_or_default();
            if key != name && key != "done" {
                link.push_str(pair);
                link.push('&');
            }
        }
        link.push_str(name);
        link.push('=');
        link.push_str(value.as_ref());
        link
    }

    /// The theme that the switch leads to without JavaScript.
    pub fn other_theme(&self) -> &'static str {
        if self.theme == Some("dark") { "light" } else { "dark" }
    }

    /// Whether the person may change incidents, bans and tickets.
    pub fn may_change(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.may_change)
    }
}

/// The text about what was just done, by the `done` parameter that a redirect left.
pub(crate) fn notice(done: &str) -> Option<&'static str> {
    Some(match done {
        "saved" => "done-saved",
        "status" => "done-status",
        "owner" => "done-owner",
        "note" => "done-note",
        "lifted" => "done-lifted",
        "ticket" => "done-ticket",
        "forgotten" => "done-forgotten",
        "password" => "done-password",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(location: &str) -> Shell {
        Shell {
            theme: None,
            user: None,
            form_token: String::new(),
            section: Section::Door,
            location: location.to_owned(),
            dry_run: true,
            notice: None,
        }
    }

    #[test]
    fn links_keep_the_rest_of_the_query() {
        for (location, expected) in [
            ("/", "/?lang=fr"),
            (
                "/incidents?severity=high&lang=en&text=a%20b",
                "/incidents?severity=high&text=a%20b&lang=fr",
            ),
            ("/incidents/1?done=note", "/incidents/1?lang=fr"),
        ] {
            assert_eq!(shell(location).with("lang", "fr"), expected);
        }
    }
}
