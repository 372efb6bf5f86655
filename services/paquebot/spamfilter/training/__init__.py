"""What the spam filter is trained with: stories, the composer, the trainer. The service never imports it."""
