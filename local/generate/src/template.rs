//! The generated blocks of the root `template.yaml`, between lines `# <generated: name>` and `# </generated: name>`.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::{
    environment::Place,
    functions::Function,
    names::{capitalised, logical_id},
    resources,
    stacks::Stack,
};

/// The template with its generated blocks filled anew.
pub fn fill(template: &str, functions: &[Function], stacks: &[Stack]) -> Result<String> {
    let mut workers: Vec<&Function> = functions.iter().filter(|function| function.is("queue")).collect();
    workers.sort_by_key(|worker| worker.text("queue").unwrap_or_default());
    let of_workers = |lines: fn(&Function) -> Result<Vec<String>>| {
        workers.iter().map(|worker| lines(worker)).collect::<Result<Vec<_>>>().map(|lines| lines.concat())
    };
    let sockets = functions.iter().filter(|function| function.is("websocket"));
    let socket_functions = sockets.map(|function| resources::function(function, Place::Root)).collect::<Result<Vec<_>>>()?;
    let blocks = [
        ("stacks", stacks.iter().flat_map(nested).collect()),
        ("socket-routes", socket_routes(functions)?),
        ("socket-functions", socket_functions.concat()),
        ("queues", of_workers(resources::queue)?),
        ("queue-arns", of_workers(|worker| Ok(vec![format!("- !GetAtt {}.Arn", resources::queue_id(worker)?)]))?),
        ("queue-alarms", of_workers(resources::queue_alarm)?),
    ];
    let mut filled = template.to_owned();
    for (name, lines) in blocks {
        filled = fill_block(&filled, name, &lines)?;
    }
    Ok(filled)
}

/// The lines of a section such as `Globals`, its head included.
pub fn section(template: &str, name: &str) -> Vec<String> {
    let head = format!("{name}:");
    let lines = template.lines().skip_while(|line| *line != head);
    let is_inside = |(number, line): &(usize, &str)| *number == 0 || line.starts_with(' ');
    lines.enumerate().take_while(is_inside).map(|(_, line)| line.to_owned()).collect()
}

/// Replaces what is between the markers of `name`, indented as they are, wherever they stand.
fn fill_block(template: &str, name: &str, lines: &[String]) -> Result<String> {
    let (opening, closing) = (format!("# <generated: {name}>"), format!("# </generated: {name}>"));
    let mut filled = Vec::new();
    let mut is_inside = false;
    let mut blocks = 0;
    for line in template.lines() {
        if line.trim() == closing {
            ensure!(is_inside, "template.yaml has `{closing}` without `{opening}`");
            is_inside = false;
        }
        if !is_inside {
            filled.push(line.to_owned());
        }
        if line.trim() == opening {
            let indent = &line[..line.len() - line.trim_start().len()];
            filled.extend(lines.iter().map(|line| format!("{indent}{line}")));
            is_inside = true;
            blocks += 1;
        }
    }
    ensure!(blocks > 0 && !is_inside, "template.yaml needs a line `{opening}` and `{closing}` after it");
    Ok(filled.join("\n") + "\n")
}

fn nested(stack: &Stack) -> Vec<String> {
    let mut lines = vec![
        format!("{}Stack:", capitalised(stack.name)),
        "  Type: AWS::CloudFormation::Stack".to_owned(),
        "  Properties:".to_owned(),
        format!("    TemplateURL: {}", Stack::file(stack.name)),
        "    Parameters:".to_owned(),
    ];
    lines.extend(stack.given.iter().map(|(name, value)| format!("      {name}: {value}")));
    lines
}

fn socket_routes(functions: &[Function]) -> Result<Vec<String>> {
    let mut routes = BTreeMap::new();
    for function in functions.iter().filter(|function| function.is("websocket")) {
        routes.insert(function.text("route_key")?, logical_id(&function.name));
    }
    let route = |(key, id): (&str, String)| format!("  {key}: {{FunctionArn: !GetAtt {id}.Arn}}");
    Ok(["Routes:".to_owned()].into_iter().chain(routes.into_iter().map(route)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "a:\n  # <generated: x>\n  old\n  # </generated: x>\nb\n# <generated: x>\n# </generated: x>\n";

    #[test]
    fn a_block_is_replaced_at_its_indentation() {
        let lines = ["one:".into(), "  two".into()];
        let filled = fill_block(EMPTY, "x", &lines).unwrap();
        let wanted =
            "a:\n  # <generated: x>\n  one:\n    two\n  # </generated: x>\nb\n# <generated: x>\none:\n  two\n# </generated: x>\n";
        assert_eq!(filled, wanted);
        assert_eq!(fill_block(&filled, "x", &lines).unwrap(), filled);
        assert!(fill_block(EMPTY, "y", &[]).is_err());
    }

    #[test]
    fn a_section_ends_with_its_indentation() {
        assert_eq!(section("A:\n  one: 1\n\nB:\n  two: 2\n", "A"), ["A:", "  one: 1"]);
        assert_eq!(section("A:\n  one: 1\nB:\n  two: 2\n", "B"), ["B:", "  two: 2"]);
    }

    #[test]
    fn the_root_gives_a_stack_its_parameters() {
        let given = vec![("HttpRoleArn".to_owned(), "!GetAtt HttpRole.Arn".to_owned())];
        let lines = nested(&Stack { name: "app", given, text: String::new() });
        assert_eq!(lines[0], "AppStack:");
        assert_eq!(
            lines[3..],
            ["    TemplateURL: functions/stacks/app.yaml", "    Parameters:", "      HttpRoleArn: !GetAtt HttpRole.Arn"]
        );
    }
}
