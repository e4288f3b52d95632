//! The program `gateway`; see README.md beside it.

use std::process::ExitCode;

use gateway::options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Options::read(std::env::args_os()) {
        Ok(options) => gateway::run(options).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}
