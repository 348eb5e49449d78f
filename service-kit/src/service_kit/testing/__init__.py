"""What the services' tests share: private database servers, and the pytest plugin that hands them out."""
