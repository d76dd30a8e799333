//! Counts what ours costs, in instructions and in calls of the transport, and holds it to a baseline.
//!
//! `cargo xtask cost` runs it. The child command does a fixed amount of work and nothing else: it is what `count.rs`
//! starts under callgrind for each figure, and of use by itself under a profiler: `cost child session/churn 1000`.
#![forbid(unsafe_code)]

mod args;
mod baseline;
mod codec;
mod count;
mod environment;
mod hostile;
mod machine;
mod measure;
mod rate;
mod report;
mod session;
mod verdict;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use args::{Command, Plan};
use baseline::Baseline;
use report::Compared;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match args::parse(&words).and_then(execute) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Help => print!("{}", args::USAGE),
        Command::Child { measure, amount } => println!("{}", measure.run(amount)?),
        Command::Rates(measures) => print!("{}", rate::table(&measures)?),
        Command::Run(plan) => run(&plan)?,
    }
    Ok(())
}

fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    if let Some(missing) = count::missing() {
        if !plan.lenient {
            return Err(missing.into());
        }
        println!("not measured: {missing}");
        return Ok(());
    }
    let environment = environment::describe()?;
    println!("{environment}");
    let text = fs::read_to_string(&plan.baseline);
    let text = text.map_err(|error| format!("{}: {error}", plan.baseline.display()))?;
    let mut baseline = Baseline::parse(&text)?;
    let known = baseline.of(&environment);
    let costs = count::all(&plan.measures)?;
    let compared = Compared::new(&costs, known);
    print!("{compared}");
    let verdict = verdict::of(&costs, known);
    print!("{verdict}");
    if plan.bless {
        baseline.set(&environment, &costs);
        fs::write(&plan.baseline, baseline.to_string())?;
        println!("written to {}", plan.baseline.display());
        return Ok(());
    }
    verdict.result()
}
