package authentik

import (
	"fmt"
	"time"
)

// ResumeTimeoutDuration parses ResumeTimeout, the time that a user has to come
// back from the source, as [ParseDuration] does. It may be negative.
func (s SourceStage) ResumeTimeoutDuration() (time.Duration, error) {
	d, err := parseDuration(s.ResumeTimeout)
	if err != nil {
		return 0, fmt.Errorf("authentik: resume_timeout %w", err)
	}
	return d, nil
}

// BackgroundImage returns the URL of the flow's background image: BackgroundURL
// if the server sent it (since 2025.12), else Background. It is usually a
// path on the server, and may be a signed URL that expires.
func (f FlowSet) BackgroundImage() string {
	if f.BackgroundURL != "" {
		return f.BackgroundURL
	}
	return f.Background
}
