//! Reports for people.

use super::{CallRow, CronJobReport, EventRow, FindingRow, Inferred, JobReport, Next, Unknown, rules, wait};
use crate::render;
use anstyle::{AnsiColor, Style};
use policy_core::Timestamp;
use policy_core::explain::{Evidence, Rule, Verdict};

/// Findings of one rule and Pods shown before the rest is summed up.
const SHOWN: usize = 5;
const PODS_SHOWN: usize = 20;
/// The room for codes of rules, and for evidence beside them.
const CODE_WIDTH: usize = 34;
const EVIDENCE_WIDTH: usize = 100;

/// How a report is shown.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The instant.
    pub now: Timestamp,
    /// Everything, rules that did not hold or were not reached too.
    pub all: bool,
    /// With colours.
    pub color: bool,
}

/// A report in sections.
struct Page {
    view: View,
    out: String,
}

/// The report on a Job.
pub fn job(report: &JobReport, at: &str, view: View) -> String {
    let mut page = Page { view, out: String::new() };
    page.headline("Job", &report.job, at, &report.summary);
    page.next(&report.next);
    page.pods(report);
    page.rules(&report.findings, &report.not_reached, &report.calls, &report.events);
    page.inferred(&report.inferred, &report.unknown);
    page.out
}

/// The report on a CronJob.
pub fn cron_job(report: &CronJobReport, at: &str, view: View) -> String {
    let mut page = Page { view, out: String::new() };
    page.headline("CronJob", &report.cron_job, at, &report.summary);
    page.next(&report.next);
    if !report.jobs.is_empty() {
        page.heading("Jobs");
        let rows = report.jobs.iter().map(|job| {
            let started = job.started.map_or(String::new(), |time| time.to_string());
            vec![job.job.clone(), job.state.to_owned(), started]
        });
        page.table(&["JOB", "STATE", "STARTED"], rows.collect());
    }
    page.rules(&report.findings, &report.not_reached, &report.calls, &report.events);
    page.inferred(&[], &report.unknown);
    page.out
}

/// The long text of a rule, with its place.
pub fn rule(rule: Rule, color: bool) -> String {
    let bold = if color { Style::new().bold() } else { Style::new() };
    format!(
        "{bold}{}{bold:#}\n\n{}\n\ndomain    {}\nstage     {}\nupstream  {}\n",
        rule.code(),
        rules::text(rule).trim_end(),
        rule.domain(),
        rule.stage(),
        rule.upstream()
    )
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.view.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn headline(&mut self, kind: &str, name: &str, at: &str, summary: &str) {
        self.line(&printable(&format!("{kind} {name} at {at}")));
        self.line("");
        let summary = self.paint(Style::new().bold(), &printable(summary));
        self.line(&summary);
    }

    fn heading(&mut self, title: &str) {
        let title = self.paint(Style::new().bold(), title);
        self.line(&format!("\n{title}"));
    }

    fn table(&mut self, header: &[&str], rows: Vec<Vec<String>>) {
        for line in render::table(header, rows).lines() {
            self.line(&format!("  {line}"));
        }
    }

    fn next(&mut self, next: &[Next]) {
        if next.is_empty() {
            return;
        }
        self.heading("Next");
        let now = self.view.now;
        let rows = next.iter().map(|next| match next.at {
            Some(at) if at > now => vec![format!("in {}", wait(at, now)), at.to_string(), next.what.clone()],
            Some(at) => vec!["now".to_owned(), at.to_string(), next.what.clone()],
            None => vec!["later".to_owned(), String::new(), format!("when {}", next.what)],
        });
        self.table(&["WHEN", "AT", "WHAT"], rows.collect());
    }

    fn pods(&mut self, report: &JobReport) {
        if report.pods.is_empty() {
            return;
        }
        self.heading("Pods");
        let shown = self.limit(report.pods.len(), PODS_SHOWN);
        let indexed = report.pods.iter().any(|pod| pod.index.is_some());
        let policy = report.pods.iter().any(|pod| pod.policy.is_some());
        let mut header = vec!["POD", "PHASE"];
        header.extend(indexed.then_some("INDEX"));
        header.push("COUNTED");
        header.extend(policy.then_some("FAILURE POLICY"));
        let rows = report.pods.iter().take(shown).map(|pod| {
            let mut row = vec![pod.pod.clone(), pod.phase.to_owned()];
            row.extend(indexed.then(|| pod.index.map_or(String::new(), |index| index.to_string())));
            row.push(pod.how.clone());
            row.extend(policy.then(|| pod.policy.clone().unwrap_or_default()));
            row
        });
        let rows = rows.collect();
        self.table(&header, rows);
        self.more(report.pods.len() - shown, 2);
    }

    fn limit(&self, count: usize, most: usize) -> usize {
        // Saying that there is one more takes as much room as showing it.
        if self.view.all || count <= most + 1 { count } else { most }
    }

    fn more(&mut self, hidden: usize, indent: usize) {
        if hidden > 0 {
            self.line(&format!("{:indent$}… and {hidden} more: --all shows them", ""));
        }
    }

    fn rules(
        &mut self,
        findings: &[FindingRow],
        not_reached: &[Rule],
        calls: &[CallRow],
        events: &[EventRow],
    ) {
        self.heading("Rules");
        let shown = |finding: &&FindingRow| self.view.all || decides(finding, findings);
        let shown: Vec<&FindingRow> = findings.iter().filter(shown).collect();
        let mut told = Vec::new();
        for stage in shown.chunk_by(|a, b| a.rule.stage() == b.rule.stage()) {
            self.line(&format!("  {}", stage.first().map_or("", |first| first.rule.stage())));
            let groups = grouped(stage);
            for (place, group) in groups.iter().enumerate() {
                let following = groups.get(place + 1).and_then(|next| next.first());
                self.group(group, following.copied(), calls);
                let rule = group.first().map(|first| first.rule);
                if !told.contains(&rule) {
                    told.push(rule);
                    self.events(events.iter().filter(|event| event.rule.is_some() && event.rule == rule), 8);
                }
            }
        }
        self.not_shown(findings, &shown, not_reached);
        let rest = events.iter().filter(|event| event.rule.is_none() || !told.contains(&event.rule));
        let rest: Vec<&EventRow> = rest.collect();
        if !rest.is_empty() {
            self.heading("Events");
            self.events(rest.into_iter(), 2);
        }
    }

    /// Findings of one rule with one verdict. Calls that the next rule caused too are left to that one.
    fn group(&mut self, group: &[&FindingRow], following: Option<&FindingRow>, calls: &[CallRow]) {
        let Some(first) = group.first() else { return };
        let (mark, style) = match first.verdict {
            Verdict::Held => ("✔", AnsiColor::Green.on_default()),
            Verdict::NotHeld => ("✘", AnsiColor::Red.on_default()),
            Verdict::NotReached => ("·", Style::new().dimmed()),
        };
        let mark = self.paint(style, mark);
        let code = format!("{:<CODE_WIDTH$}", first.rule.code());
        let shown = self.limit(group.len(), SHOWN);
        let mut lead = format!("    {mark} {code}");
        for finding in group.iter().take(shown) {
            for line in evidence(finding) {
                self.line(&format!("{lead} {line}"));
                lead = " ".repeat(6 + CODE_WIDTH);
            }
        }
        self.more(group.len() - shown, 8);
        if following.is_some_and(|next| !next.calls.is_empty() && next.calls == first.calls) {
            return;
        }
        let caused = |call: &&CallRow| group.iter().any(|row| row.calls.contains(&call.number));
        let caused: Vec<&CallRow> = calls.iter().filter(caused).collect();
        let shown = self.limit(caused.len(), SHOWN);
        for call in caused.iter().take(shown) {
            self.line(&format!("        → {}", printable(&call.text)));
        }
        self.more(caused.len() - shown, 8);
    }

    /// Events, the oldest first; of ordinary ones only the last of each reason, unless all are wanted.
    fn events<'e>(&mut self, events: impl Iterator<Item = &'e EventRow>, indent: usize) {
        let events: Vec<&EventRow> = events.collect();
        for (place, event) in events.iter().enumerate() {
            let alike = |other: &&&EventRow| other.reason == event.reason && !event.warning;
            let later = events[place + 1..].iter().filter(alike).count();
            let earlier = events[..place].iter().filter(alike).count();
            if later == 0 || self.view.all {
                self.event(event, if self.view.all { 0 } else { earlier }, indent);
            }
        }
    }

    fn event(&mut self, event: &EventRow, earlier: usize, indent: usize) {
        let times = if event.count > 1 { format!(", {} times", event.count) } else { String::new() };
        let others = if earlier > 0 { format!(", the last of {}", earlier + 1) } else { String::new() };
        let last = event.last.map_or(String::new(), |last| format!(" at {last}"));
        let text = format!("event {}{last}{times}{others}: {}", event.reason, event.message);
        let style = if event.warning { AnsiColor::Yellow.on_default() } else { Style::new().dimmed() };
        let text = self.paint(style, &printable(&text));
        self.line(&format!("{:indent$}{text}", ""));
    }

    fn not_shown(&mut self, findings: &[FindingRow], shown: &[&FindingRow], not_reached: &[Rule]) {
        if self.view.all {
            self.line("  not reached");
            for rule in not_reached {
                let line = self.paint(Style::new().dimmed(), &format!("· {}", rule.code()));
                self.line(&format!("    {line}"));
            }
            return;
        }
        let (hidden, left) = (findings.len() - shown.len(), not_reached.len());
        let text = format!("  {hidden} more were looked at, {left} were not reached: --all shows them");
        self.line(&text);
    }

    fn inferred(&mut self, inferred: &[Inferred], unknown: &[Unknown]) {
        if !inferred.is_empty() {
            self.heading("Inferred");
            for Inferred { what, value, how } in inferred {
                self.line(&printable(&format!("  {what}: {value} ({how})")));
            }
        }
        if !unknown.is_empty() {
            self.heading("Unknown");
            for Unknown { what, assumed, otherwise } in unknown {
                let otherwise = otherwise.as_deref().unwrap_or("it makes no difference here");
                self.line(&printable(&format!("  {what}: taken to be {assumed}; {otherwise}")));
            }
        }
    }
}

/// Findings of one stage by rule and verdict, in the order in which these first come.
fn grouped<'f>(stage: &[&'f FindingRow]) -> Vec<Vec<&'f FindingRow>> {
    let mut groups: Vec<Vec<&FindingRow>> = Vec::new();
    for finding in stage {
        let same = |group: &&mut Vec<&FindingRow>| {
            group.first().is_some_and(|first| first.rule == finding.rule && first.verdict == finding.verdict)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// Whether a finding is shown without `--all`: all that held, and of those that did not the ones that somebody who
/// asks why nothing happens looks for.
fn decides(finding: &FindingRow, all: &[FindingRow]) -> bool {
    if finding.verdict == Verdict::Held {
        return finding.rule != Rule::TtlDoesNotApply;
    }
    let held = |rule: Rule| all.iter().any(|row| row.rule == rule && row.verdict == Verdict::Held);
    let value = |path: &str| finding.evidence.iter().find(|item| item.path == path).map(|item| &*item.value);
    let counts =
        |path: &str| value(path).and_then(|count| count.parse().ok()).is_some_and(|count: i64| count > 0);
    let bound_is = |text: &str| finding.evidence.iter().any(|item| item.bound.ends_with(text));
    match finding.rule {
        Rule::PodsCreated | Rule::CompletionsReached | Rule::NoRunDue | Rule::SuccessPolicyMet => true,
        Rule::PodFailurePolicyRuleMatched => true,
        Rule::BackoffLimitExceeded => {
            !bound_is(UNLIMITED) && (held(Rule::NewFailureCounted) || counts("failed Pods"))
        }
        Rule::RestartLimitExceeded => counts("container restarts"),
        Rule::DeadlineExceeded => value("spec.activeDeadlineSeconds") != Some("not set"),
        Rule::MaxFailedIndexesExceeded => !bound_is("not set"),
        _ => false,
    }
}

/// The limit that stands for none.
const UNLIMITED: &str = "2147483647";

/// The values, as many on a line as fit.
fn evidence(finding: &FindingRow) -> Vec<String> {
    let list = &finding.evidence;
    let mut lines: Vec<String> = Vec::new();
    for (place, item) in list.iter().enumerate() {
        let comma = if place + 1 < list.len() { "," } else { "" };
        let text = printable(&format!("{}{comma}", value(item, finding.rule.domain() == "job")));
        match lines.last_mut() {
            Some(line) if line.chars().count() + text.chars().count() < EVIDENCE_WIDTH => {
                line.push(' ');
                line.push_str(&text);
            }
            _ => lines.push(text),
        }
    }
    if lines.is_empty() { vec![String::new()] } else { lines }
}

/// A value with what it was compared with; of a Job's status, with what it becomes.
fn value(item: &Evidence, of_job: bool) -> String {
    let Evidence { path, value, bound } = item;
    if bound.is_empty() {
        format!("{path} = {value}")
    } else if of_job && path.starts_with("status.") {
        format!("{path} = {value} → {bound}")
    } else {
        format!("{path} = {value} ({bound})")
    }
}

/// Text without characters that would disturb a terminal or break a line.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
