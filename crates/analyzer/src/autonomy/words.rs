//! What an action says of itself by a word: a declared tool, an agent, a look at where one is.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use vigie_event::fingerprint;

/// What a user agent or a command names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// A scanner, a crawler, a monitor, a deployment tool.
    pub declared: bool,
    /// A framework for language-model agents.
    pub agent: bool,
    /// A command that tells who and where one is.
    pub state: bool,
}

impl Words {
    /// As bits of a byte.
    pub fn bits(self) -> u8 {
        u8::from(self.declared) | u8::from(self.agent) << 1 | u8::from(self.state) << 2
    }

    /// What [`Words::bits`] gave.
    pub const fn from_bits(bits: u8) -> Self {
        Self { declared: bits & 1 != 0, agent: bits & 2 != 0, state: bits & 4 != 0 }
    }
}

/// Programs that name themselves to the servers that they ask.
const DECLARED: [&str; 34] = [
    "nmap",
    "masscan",
    "zgrab",
    "nikto",
    "nuclei",
    "ffuf",
    "fuzz faster",
    "gobuster",
    "feroxbuster",
    "dirbuster",
    "wfuzz",
    "sqlmap",
    "wpscan",
    "whatweb",
    "acunetix",
    "nessus",
    "openvas",
    "qualys",
    "hydra",
    "googlebot",
    "bingbot",
    "yandexbot",
    "duckduckbot",
    "applebot",
    "baiduspider",
    "crawler",
    "uptime",
    "pingdom",
    "nagios",
    "check_http",
    "zabbix",
    "prometheus",
    "kube-probe",
    "statuscake",
];

/// Names of what language models work through, as words of their own.
const AGENTS: [&str; 12] = [
    "langchain",
    "llamaindex",
    "autogpt",
    "auto-gpt",
    "crewai",
    "openai",
    "anthropic",
    "claude",
    "gpt",
    "llm",
    "mcp",
    "smolagents",
];

/// Marks of deployment tools in commands.
const DEPLOYMENT: [&str; 5] = ["ansible", "puppet", "chef-client", "salt-call", "gitlab-runner"];

/// Programs that tell who and where one is.
const STATE: [&str; 15] = [
    "id",
    "whoami",
    "uname",
    "hostname",
    "hostnamectl",
    "pwd",
    "w",
    "who",
    "last",
    "ss",
    "netstat",
    "ps",
    "ip",
    "ifconfig",
    "env",
];

/// Bytes of a text that are looked at.
const MOST_BYTES: usize = 300;

/// Finds all of these in a text at once, whatever the case.
static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let names = DECLARED.iter().chain(&AGENTS).chain(&DEPLOYMENT);
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::ContiguousNFA));
    builder.build(names).ok()
});

/// Calls `each` with the number of every name that stands in `text`, and whether it is a word of its
/// own there.
fn find(text: &str, mut each: impl FnMut(usize, bool)) {
    let Some(finder) = &*FINDER else { return };
    for found in finder.find_overlapping_iter(text) {
        let before = text.get(..found.start()).and_then(|front| front.chars().next_back());
        let after = text.get(found.end()..).and_then(|rest| rest.chars().next());
        let alone = ![before, after].into_iter().flatten().any(char::is_alphabetic);
        each(found.pattern().as_usize(), alone);
    }
}

/// The numbers of agents' names; before them stand the declared programs, behind them the marks of
/// deployment tools.
const AGENT_NUMBERS: Range<usize> = DECLARED.len()..DECLARED.len() + AGENTS.len();

/// What a user agent names.
pub(super) fn of_user_agent(text: &str) -> Words {
    let mut words = Words::default();
    find(start_of(text), |number, alone| {
        words.declared |= alone && number < AGENT_NUMBERS.start;
        words.agent |= alone && AGENT_NUMBERS.contains(&number);
    });
    words
}

/// What a command line names.
fn of_command(text: &str) -> Words {
    let text = start_of(text);
    let program = text.split_whitespace().next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let state = STATE.iter().any(|name| program.eq_ignore_ascii_case(name));
    let mut words = Words { state, ..Words::default() };
    find(text, |number, alone| {
        words.declared |= number >= AGENT_NUMBERS.end;
        words.agent |= alone && AGENT_NUMBERS.contains(&number);
    });
    words
}

/// Command lines that are remembered; a power of two.
const MOST_COMMANDS: usize = 64;

/// What the last command lines name, by their hashes: they come again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Commands(Vec<(u64, Words)>);

impl Commands {
    /// What a command line names.
    pub fn of(&mut self, text: &str) -> Words {
        let number = fingerprint(text.as_bytes());
        self.0.resize(MOST_COMMANDS, (0, Words::default()));
        let place = number as usize % MOST_COMMANDS;
        let Some((known, words)) = self.0.get_mut(place) else {
            return of_command(text);
        };
        if *known != number {
            (*known, *words) = (number, of_command(text));
        }
        *words
    }
}

fn start_of(text: &str) -> &str {
    let end = text.floor_char_boundary(MOST_BYTES.min(text.len()));
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_agents_and_browsers_are_told_apart() {
        let check = |text: &str, declared: bool, agent: bool| {
            let found = of_user_agent(text);
            assert_eq!((found.declared, found.agent), (declared, agent), "{text}");
        };
        check(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            true,
            false,
        );
        check("Mozilla/5.0 (compatible; Nmap Scripting Engine)", true, false);
        check("Fuzz Faster U Fool v2.1.0", true, false);
        check("langchain/0.3 python", false, true);
        check("LangChain/0.3 (nmap)", true, true);
        check("subgptlink/1.0 googlebots ansible", false, false);
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            false,
            false,
        );
        check("", false, false);
    }

    #[test]
    fn commands_are_read_by_their_program() {
        assert!(of_command("/usr/bin/id").state);
        assert!(of_command("uname -a").state);
        assert!(of_command("/BIN/UNAME -a").state);
        assert!(!of_command("nmap -sV").declared);
        assert!(of_command("run AutoGPT --with x").agent && !of_command("cat my_gpts").agent);
        assert!(!of_command("cat /etc/id").state);
        assert!(of_command("/bin/sh -c python3 /root/.ansible/tmp/x.py").declared);
    }
}
