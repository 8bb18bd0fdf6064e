//! The SQL that the server sends for a question, as the database's log has it: what is compared is then the same by
//! construction.

use std::fs;
use std::time::Duration;

use anyhow::ensure;
use sqlx::Executor as _;
use tokio::time::sleep;

use super::population::Population;
use super::questions::Question;
use super::requests::Server;

/// For each address of a question the statements that answer it.
pub(super) async fn of(
    population: &Population,
    server: &Server,
    question: &Question,
) -> anyhow::Result<Vec<String>> {
    set_logging(population, "all").await?;
    let mut scripts = Vec::new();
    for path in &question.paths {
        let before = fs::read_to_string(&population.log_file)?.len();
        server.json(path).await?;
        let log = fs::read_to_string(&population.log_file)?;
        let script = script(&log[before..]);
        ensure!(!script.is_empty(), "the database's log has no statement for {path}");
        scripts.push(script);
    }
    set_logging(population, "none").await?;
    Ok(scripts)
}

async fn set_logging(population: &Population, statements: &'static str) -> anyhow::Result<()> {
    let set = match statements {
        "all" => "ALTER SYSTEM SET log_statement = 'all'",
        _ => "ALTER SYSTEM RESET log_statement",
    };
    population.pool.execute(set).await?;
    population.pool.execute("SELECT pg_reload_conf()").await?;
    // Each session reads its configuration at its next statement, after a signal.
    sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// The prepared statements of a log with their parameters written into them.
fn script(log: &str) -> String {
    let mut script = String::new();
    for entry in log.split("LOG:  execute ").skip(1) {
        let (statement, parameters) =
            entry.split_once("DETAIL:  ").map_or((entry, ""), |(statement, detail)| (statement, detail));
        let Some((_name, sql)) = statement.split_once(": ") else { continue };
        let sql = without_prefixes(sql);
        script.push_str(&bound(&sql, &values(parameters)));
        script.push_str(";\n");
    }
    script
}

/// Lines after the first begin with a tab; what follows the statement is the prefix of the next entry.
fn without_prefixes(sql: &str) -> String {
    let lines = sql.lines().enumerate().take_while(|(index, line)| *index == 0 || line.starts_with('\t'));
    let lines: Vec<&str> =
        lines.map(|(_, line)| line.trim()).filter(|line| !line.starts_with("--")).collect();
    lines.join("\n")
}

/// The literals of `parameters: $1 = 'x', $2 = NULL`.
fn values(detail: &str) -> Vec<String> {
    let detail = detail.lines().next().unwrap_or_default();
    let Some((_, list)) = detail.split_once(": ") else { return Vec::new() };
    let mut values = Vec::new();
    let mut rest = list;
    while let Some((_, after)) = rest.split_once(" = ") {
        let end = literal_length(after);
        values.push(after[..end].to_owned());
        rest = &after[end..];
    }
    values
}

/// Where the literal that a text begins with ends: quotes within it are doubled.
fn literal_length(text: &str) -> usize {
    if !text.starts_with('\'') {
        return text.find(',').unwrap_or(text.len());
    }
    let mut end = 1;
    while let Some(quote) = text[end..].find('\'') {
        end += quote + 1;
        if !text[end..].starts_with('\'') {
            return end;
        }
        end += 1;
    }
    text.len()
}

/// Parameters are replaced from the last to the first, so that `$1` does not touch `$10`. pgbench takes a colon for the
/// beginning of a variable, so that none may stand in a literal.
fn bound(sql: &str, values: &[String]) -> String {
    let mut bound = sql.to_owned();
    for (index, value) in values.iter().enumerate().rev() {
        let literal = if value.contains(':') {
            format!("E{}", value.replace('\\', r"\\").replace(':', r"\x3a"))
        } else {
            value.clone()
        };
        bound = bound.replace(&format!("${}", index + 1), &literal);
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::script;

    #[test]
    fn parameters_are_written_into_the_statements_of_a_log() {
        let log = "2026-11-24 20:00:00.000 UTC [7] LOG:  execute sqlx_s_1: SELECT a\n\tFROM t -- why\n\tWHERE b = $1 AND c = $2::text[] AND d < $10\n\
            2026-11-24 20:00:00.000 UTC [7] DETAIL:  parameters: $1 = 'it''s, so', $2 = '{\"x\"}', $3 = NULL, $4 = '1', $5 = '1', $6 = '1', $7 = '1', $8 = '1', $9 = '1', $10 = '2026-11-24 20:00:00+00'\n\
            2026-11-24 20:00:00.001 UTC [7] LOG:  statement: SELECT 1\n\
            2026-11-24 20:00:00.001 UTC [7] LOG:  execute sqlx_s_2: SELECT 2\n";
        assert_eq!(
            script(log),
            "SELECT a\nFROM t -- why\nWHERE b = 'it''s, so' AND c = '{\"x\"}'::text[] AND d < E'2026-11-24 20\\x3a00\\x3a00+00';\nSELECT 2;\n"
        );
    }
}
