"""What is known of the people whom messages are sent to: the fold of the contacts stream."""
