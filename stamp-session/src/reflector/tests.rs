mod answers;
mod authentication;
mod kit;
mod refusals;
mod reload;
mod returns;
mod stateful;
