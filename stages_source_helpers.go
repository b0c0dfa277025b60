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
