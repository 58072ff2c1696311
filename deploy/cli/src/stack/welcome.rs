//! What `up` prints at its end: where to look, and what to type next.

use secrecy::ExposeSecret as _;

use super::Stack;
use super::first::NewClient;
use super::state::State;

/// Prints it. Standard output, because it is the result of the command.
pub fn print(stack: &Stack, known: &State, new_client: Option<&NewClient>) {
    let url = stack.url();
    println!("\nVintem is up.");
    println!("  API          {url}");
    println!("  reference    {url}/docs");
    println!("  terminals    {}", stack.terminal_url());
    println!("  authority    {}", stack.folder().authority().display());
    if let Some(client) = &known.first_client {
        println!("  tenant       {}", client.tenant);
        println!("  client       {}", client.client_id);
    }
    match new_client {
        Some(client) => println!("  secret       {}   (shown this once)", client.secret.expose_secret()),
        None => println!("  secret       was shown once; for another: {}", another_client()),
    }
    println!("\nA token, good for ten minutes:");
    let client = known.first_client.as_ref().map_or("CLIENT", |client| client.client_id.as_str());
    println!(
        "  curl --cacert {} --user {client} --data grant_type=client_credentials {url}/v1/token",
        stack.folder().authority().display()
    );
    println!("\nNext: cargo dev test · cargo dev status · cargo dev mail · cargo dev psql · cargo dev down");
}

fn another_client() -> String {
    format!(
        "cargo dev as operator client create --tenant {} --name mine --scopes ledger:read,ledger:write",
        super::first::TENANT
    )
}
