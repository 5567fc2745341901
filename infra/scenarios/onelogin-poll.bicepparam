// OneLogin is polled and sends no webhooks.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param oneLoginUrl = 'https://tenant.onelogin.example.com'
param oneLoginClientId = 'client-1'
param oneLoginClientSecret = 'secret-1'
param oneLoginTablesToCreate = ['OneLoginEventsV2_CL', 'OneLoginUsersV2_CL']
