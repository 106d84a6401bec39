"""What the automations share: event models, settings, clients, messages, delivery."""
