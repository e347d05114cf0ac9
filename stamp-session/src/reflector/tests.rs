mod answers;
mod authentication;
mod follow_up;
mod kit;
mod refusals;
mod reload;
mod returns;
mod stateful;
