//! Measures ours against other multiplexers and raw TCP: every workload, every peer, several rounds, and tables.
//!
//! `cargo xtask bench` runs it. The child command measures once and is what `run.rs` starts for each figure; it is of
//! use by itself under a profiler: `bench child bulk1 ours 1073741824`.
#![forbid(unsafe_code)]

mod args;
mod child;
mod far;
mod measure;
mod peer;
mod plot;
mod report;
mod run;
mod scale;
mod syscalls;
mod task;
mod workload;

use std::error::Error;
use std::process::ExitCode;

use args::Command;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match args::parse(&words).and_then(execute) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Help => print!("{}", args::USAGE),
        Command::Far(plan) => far::run(&plan)?,
        Command::Scale { plots } => scale::run(plots.as_ref())?,
        Command::ScaleChild { scale, step } => {
            println!("{}", serde_json::to_string(&scale::measure(scale, step)?)?);
        }
        Command::Child { workload, peer, amount } => {
            println!("{}", serde_json::to_string(&child::measure(workload, peer, amount)?)?);
        }
        Command::Run(plan) => {
            let results = run::all(&plan)?;
            print!("{}", report::tables(&plan, &results));
            if let Some(file) = &plan.json {
                std::fs::write(file, report::json(&plan, &results)?)?;
            }
            if let Some(folder) = &plan.plots {
                std::fs::create_dir_all(folder)?;
                for workload in &plan.workloads {
                    let file = folder.join(format!("{}.svg", workload.as_str()));
                    std::fs::write(file, plot::svg(*workload, &results))?;
                }
            }
        }
    }
    Ok(())
}
