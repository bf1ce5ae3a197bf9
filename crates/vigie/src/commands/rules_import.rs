//! `vigie rules import`: what is taken in, what is not and why, and what it covers.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};
use vigie_event::{Clock, Lang, SystemClock};

use super::rules::wire;
use crate::cli::{Global, ImportArgs};
use crate::import::{self, Coverage, LogsourceRow, Plan, TacticRow, Wanted};
use crate::output::{self, Paint, inert};
use crate::report::{counted, grouped};
use crate::rulebook::{IMPORTED, Rulebook};

/// Techniques shown of each tactic, and changed rules of each kind; `-v` and `--json` give all.
const SHOWN: usize = 5;
/// Logsources shown; the others have few rules.
const LOGSOURCES: usize = 30;

pub fn run(global: &Global, args: &ImportArgs, book: &Rulebook) -> anyhow::Result<ExitCode> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if args.name.is_empty() || !args.name.bytes().all(is_safe) {
        bail!("--name `{}`: letters, digits, - and _ only", args.name);
    }
    let folder = args.to.as_ref().unwrap_or(&book.folder);
    let target = folder.join(IMPORTED).join(&args.name);
    let wanted = Wanted {
        statuses: args.status.iter().filter_map(|name| name.parse().ok()).collect(),
        level: args.level,
        products: args.product.clone(),
    };
    let book = Rulebook { folder: folder.clone(), ..book.clone() };
    let plan = import::plan(&args.from, &target, &book, &wanted)?;
    let nothing = plan.taken.is_empty();
    let writes = !args.dry_run && !nothing;
    if writes {
        import::place(&plan, &target, SystemClock.now())?;
    }
    let lang = global.lang();
    let mut out = output::stdout();
    let target = target.display().to_string();
    if global.json {
        print_json(&mut out, &plan, &target, writes)?;
    } else {
        let page = Page { lang, paint: Paint::for_stdout(global), all: global.verbose > 0 };
        page.print(&mut out, &plan)?;
        let place = inert(&target);
        match (writes, lang) {
            (true, Lang::En) => writeln!(out, "\nWritten to {place}.")?,
            (true, Lang::Fr) => writeln!(out, "\nRègles écrites dans {place}.")?,
            (false, Lang::En) => writeln!(out, "\nNothing was written to {place}.")?,
            (false, Lang::Fr) => writeln!(out, "\nRien n’a été écrit dans {place}.")?,
        }
    }
    out.flush()?;
    if plan.licences.is_empty() {
        tracing::warn!(
            "{}",
            lang.pick(
                "no licence file stands beside these rules: see to their terms of use",
                "aucun fichier de licence n’accompagne ces règles : vérifiez leurs conditions d’utilisation",
            )
        );
    }
    if writes && args.to.is_none() {
        tracing::info!(
            "{}",
            lang.pick(
                "a running centre takes them in within a few seconds",
                "un centre en marche les prend en compte en quelques secondes",
            )
        );
    }
    Ok(if nothing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_json(
    out: &mut impl Write,
    plan: &Plan,
    target: &str,
    written: bool,
) -> anyhow::Result<()> {
    for problem in &plan.refused {
        output::json_line(out, &wire(problem))?;
    }
    let changes = &plan.changes;
    for (change, rules) in
        [("new", &changes.new), ("changed", &changes.changed), ("gone", &changes.gone)]
    {
        for (id, title) in rules {
            let object = json!({"kind": "change", "change": change, "id": id, "title": title});
            output::json_line(out, &object)?;
        }
    }
    let coverage = &plan.coverage;
    for row in &coverage.logsources {
        let object = json!({
            "kind": "logsource", "product": row.product, "category": row.category,
            "service": row.service, "rules": row.rules, "delivered": row.delivered,
        });
        output::json_line(out, &object)?;
    }
    for tactic in &coverage.tactics {
        let techniques: Vec<Value> = tactic
            .techniques
            .iter()
            .map(|one| {
                json!({"id": one.id, "name": one.name, "rules": one.rules, "can_fire": one.can_fire})
            })
            .collect();
        let object = json!({
            "kind": "tactic", "id": tactic.id, "name": tactic.name, "rules": tactic.rules,
            "can_fire": tactic.can_fire, "of_techniques": tactic.of, "techniques": techniques,
        });
        output::json_line(out, &object)?;
    }
    let levels: serde_json::Map<String, Value> =
        coverage.levels.iter().map(|(level, n)| (level.name().to_owned(), json!(n))).collect();
    let licences: Vec<String> = licences(plan);
    let summary = json!({
        "kind": "import", "from": plan.source.display().to_string(), "to": target,
        "written": written, "files": plan.taken.len(), "rules": rules(plan),
        "counted": coverage.rules, "can_fire": coverage.can_fire, "levels": levels,
        "new": changes.new.len(), "changed": changes.changed.len(), "same": changes.same,
        "gone": changes.gone.len(), "refused": plan.refused.len(), "left_out": plan.left_out,
        "licences": licences,
    });
    output::json_line(out, &summary)?;
    Ok(())
}

fn rules(plan: &Plan) -> usize {
    plan.taken.iter().map(|taken| taken.rules.len()).sum()
}

fn licences(plan: &Plan) -> Vec<String> {
    let names = plan.licences.iter().filter_map(|path| path.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The report on a terminal.
struct Page {
    lang: Lang,
    paint: Paint,
    /// Everything, however long.
    all: bool,
}

impl Page {
    fn print(&self, out: &mut impl Write, plan: &Plan) -> io::Result<()> {
        self.totals(out, plan)?;
        self.changes(out, plan)?;
        if !plan.refused.is_empty() {
            self.heading(out, "Refused", "Refusées")?;
            for problem in &plan.refused {
                writeln!(out, "  {}", inert(&problem.to_string()))?;
            }
        }
        let coverage = &plan.coverage;
        self.heading(out, "By level", "Par niveau")?;
        for (level, rules) in &coverage.levels {
            let name = format!("{:<14}", level.label(self.lang));
            let name = self.paint.severity(*level, &name);
            writeln!(out, "  {name} {:>6}", self.number(*rules))?;
        }
        self.logsources(out, coverage)?;
        self.attack(out, &coverage.tactics)
    }

    fn heading(&self, out: &mut impl Write, en: &str, fr: &str) -> io::Result<()> {
        writeln!(out, "\n{}", self.paint.bold(self.lang.pick(en, fr)))
    }

    fn number(&self, number: usize) -> String {
        grouped(number as u64, self.lang)
    }

    fn totals(&self, out: &mut impl Write, plan: &Plan) -> io::Result<()> {
        let words = ["rule taken", "rules taken", "règle retenue", "règles retenues"];
        let taken = counted(rules(plan) as u64, self.lang, words);
        let words = ["file", "files", "fichier", "fichiers"];
        let files = counted(plan.taken.len() as u64, self.lang, words);
        let words = ["refused", "refused", "refusée", "refusées"];
        let refused = counted(plan.refused.len() as u64, self.lang, words);
        let words = [
            "left out by the options",
            "left out by the options",
            "écartée par les options",
            "écartées par les options",
        ];
        let left_out = counted(plan.left_out as u64, self.lang, words);
        let within = self.lang.pick("in", "dans");
        writeln!(out, "{taken} {within} {files}, {refused}, {left_out}")?;
        let names = licences(plan);
        if !names.is_empty() {
            let kept =
                self.lang.pick("Terms of use kept beside them:", "Licence conservée à côté :");
            writeln!(out, "{kept} {}", inert(&names.join(", ")))?;
        }
        Ok(())
    }

    fn changes(&self, out: &mut impl Write, plan: &Plan) -> io::Result<()> {
        let changes = &plan.changes;
        self.heading(out, "Since the last import", "Depuis la dernière importation")?;
        let kinds = [
            (["new", "new", "nouvelle", "nouvelles"], &changes.new),
            (["changed", "changed", "modifiée", "modifiées"], &changes.changed),
            (["gone", "gone", "disparue", "disparues"], &changes.gone),
        ];
        // The first import would name every rule.
        let is_first = changes.same == 0 && changes.changed.is_empty() && changes.gone.is_empty();
        for (words, rules) in kinds {
            writeln!(out, "  {}", counted(rules.len() as u64, self.lang, words))?;
            let shown = match (self.all, is_first) {
                (true, _) => usize::MAX,
                (false, true) => 0,
                (false, false) => SHOWN,
            };
            for (id, title) in rules.iter().take(shown) {
                writeln!(out, "    {}  {}", inert(title), self.paint.dim(&inert(id)))?;
            }
            if !is_first && rules.len() > shown {
                writeln!(out, "    {}", self.more(rules.len() - shown))?;
            }
        }
        let words = ["unchanged", "unchanged", "inchangée", "inchangées"];
        writeln!(out, "  {}", counted(changes.same as u64, self.lang, words))
    }

    fn more(&self, number: usize) -> String {
        let number = self.number(number);
        match self.lang {
            Lang::En => format!("… and {number} more: -v shows all"),
            Lang::Fr => format!("… et {number} de plus : -v montre tout"),
        }
    }

    fn logsources(&self, out: &mut impl Write, coverage: &Coverage) -> io::Result<()> {
        let (can_fire, all) = (self.number(coverage.can_fire), self.number(coverage.rules));
        let title = match self.lang {
            Lang::En => format!("By logsource: {can_fire} of {all} rules can fire here"),
            Lang::Fr => {
                format!("Par source : {can_fire} règles sur {all} peuvent se déclencher ici")
            }
        };
        writeln!(out, "\n{}", self.paint.bold(&title))?;
        let (read, unread) = (
            self.lang.pick("read", "lue"),
            self.lang.pick("no parser delivers it", "aucun analyseur ne la fournit"),
        );
        let shown = if self.all { usize::MAX } else { LOGSOURCES };
        for row in coverage.logsources.iter().take(shown) {
            let line = format!("{:>6}  {}", self.number(row.rules), inert(&self.logsource(row)));
            if row.delivered {
                writeln!(out, "  {line}  ({read})")?;
            } else {
                writeln!(out, "  {}", self.paint.dim(&format!("{line}  ({unread})")))?;
            }
        }
        if coverage.logsources.len() > shown {
            writeln!(out, "  {}", self.more(coverage.logsources.len() - shown))?;
        }
        Ok(())
    }

    fn logsource(&self, row: &LogsourceRow) -> String {
        let parts = [&row.product, &row.category, &row.service];
        let named: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        if named.is_empty() {
            return self.lang.pick("any, and correlations", "toutes, et corrélations").to_owned();
        }
        named.join(" / ")
    }

    fn attack(&self, out: &mut impl Write, tactics: &[TacticRow]) -> io::Result<()> {
        let named = tactics.iter().filter(|tactic| tactic.rules > 0).count();
        let title = match self.lang {
            Lang::En => format!("ATT&CK: {named} of {} tactics", tactics.len()),
            Lang::Fr => format!("ATT&CK : {named} tactiques sur {}", tactics.len()),
        };
        writeln!(out, "\n{}", self.paint.bold(&title))?;
        for tactic in tactics {
            self.tactic(out, tactic)?;
        }
        Ok(())
    }

    fn tactic(&self, out: &mut impl Write, tactic: &TacticRow) -> io::Result<()> {
        let words = ["rule", "rules", "règle", "règles"];
        let rules = counted(tactic.rules as u64, self.lang, words);
        let can_fire = self.number(tactic.can_fire);
        let (known, of) = (tactic.techniques.len(), tactic.of);
        let name = title_case(tactic.name);
        let told = match self.lang {
            Lang::En => {
                format!("{rules} ({can_fire} can fire here), {known} of {of} techniques")
            }
            Lang::Fr => format!("{rules} ({can_fire} utiles ici), {known} techniques sur {of}"),
        };
        writeln!(out, "  {} {name}{} {told}", tactic.id, self.lang.pick(":", " :"))?;
        let shown = if self.all { usize::MAX } else { SHOWN };
        for one in tactic.techniques.iter().take(shown) {
            let rules = self.number(one.rules);
            writeln!(out, "    {:<10} {:>5}  {}", one.id, rules, one.name)?;
        }
        if known > shown {
            writeln!(out, "    {}", self.more(known - shown))?;
        }
        Ok(())
    }
}

/// `credential-access` → `Credential Access`, as MITRE writes it.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if !matches!(word, "and" | "of") => {
                first.to_uppercase().chain(letters).collect()
            }
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<String>>().join(" ")
}
